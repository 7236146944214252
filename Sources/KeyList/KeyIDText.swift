import Registration

/// Reads the text of one key id in a list, and says what is wrong with text that is not one.
enum KeyIDText {
  enum Reading {
    case key(AppKeyID)
    case blank
    /// Nil for text that resembles no known mistake.
    case invalid(IDFlaw?)
  }

  /// Reads `field` without the characters around an id (`Edges.peeled`). The address of a key counts as its id.
  static func read(_ field: ArraySlice<UInt8>) -> Reading {
    if let id = KeyIDBytes.id(field) { return .key(id) }
    let clean = CleanText.clean(field)
    let text = Edges.peeled(clean)
    if text.isEmpty { return Edges.trimmed(clean).isEmpty ? .blank : .invalid(.emptyQuotes) }
    if let id = id(peeled: text) { return .key(id) }
    return .invalid(flaw(in: text))
  }

  static func isKey(_ field: ArraySlice<UInt8>) -> Bool {
    if case .key = read(field) { true } else { false }
  }

  /// The id that the clean text `token` spells, nil for anything else.
  static func id(_ token: ArraySlice<UInt8>) -> AppKeyID? {
    KeyIDBytes.id(token) ?? id(peeled: Edges.peeled(token))
  }

  private static func id(peeled text: ArraySlice<UInt8>) -> AppKeyID? {
    if let id = KeyIDBytes.id(text) { return id }
    if let address = KeyURL.id(in: text) { return KeyIDBytes.id(address) }
    // A JSON string taken out of its document may contain escapes.
    guard text.count <= 6 * 36, text.contains(UInt8(ascii: "\\")) else { return nil }
    return KeyIDBytes.id(JSONEscape.resolved(text)[...])
  }

  /// The mistake, nil when it is no known one.
  static func flaw(in text: ArraySlice<UInt8>) -> IDFlaw? {
    if let kind = SecretText.kind(in: text.prefix(InvalidLine.excerptBytes)) { return .secret(kind) }
    if text.contains(0) { return .nulBytes }
    if String(validating: text, as: UTF8.self) == nil { return .notUTF8 }
    if let mark = markBetweenTwo(text) { return mark == UInt8(ascii: ":") ? .twoInOneByTerraform : .twoInOne }
    if KeyIDBytes.id(text.suffix(36)) != nil { return .moreThanID }
    if KeyIDBytes.id(text.prefix(36)) != nil {
      return text.dropFirst(36).first.map(isSeparator) == true ? .moreThanIDInRow : .moreThanID
    }
    if holdsID(text) { return .moreThanID }
    if let dashed = plainDashes(text), KeyIDBytes.id(dashed[...]) != nil { return .typographicDashes }
    return nil
  }

  /// The byte between two ids that are all of `text`.
  private static func markBetweenTwo(_ text: ArraySlice<UInt8>) -> UInt8? {
    guard text.count == 73, case let mark = text[text.startIndex + 36], !isWordByte(mark),
      KeyIDBytes.id(text.prefix(36)) != nil, KeyIDBytes.id(text.suffix(36)) != nil
    else { return nil }
    return mark
  }

  /// Whether there is an id among other characters.
  static func holdsID(_ text: ArraySlice<UInt8>) -> Bool {
    guard text.count > 36 else { return false }
    let text = text.prefix(InvalidLine.excerptBytes)
    return (text.startIndex...text.endIndex - 36).contains { start in
      text[start + 8] == UInt8(ascii: "-") && KeyIDBytes.id(text[start..<start + 36]) != nil
    }
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\t")
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    SecretText.isHexadecimal(byte) || byte == UInt8(ascii: "-")
  }

  /// `text` with typographic dashes (U+2010 to U+2015, U+2212) as hyphens, nil when it has none.
  private static func plainDashes(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.count <= 64, text.contains(0xe2) else { return nil }
    return String(decoding: text, as: UTF8.self).unicodeScalars.map { scalar in
      switch scalar.value {
      case 0x2010...0x2015, 0x2212: UInt8(ascii: "-")
      case 0..<0x80: UInt8(scalar.value)
      default: UInt8(ascii: "?")
      }
    }
  }
}
