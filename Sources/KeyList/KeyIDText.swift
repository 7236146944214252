import Registration

/// Reads the text of one key id in a list, and says what is wrong with text that is not one.
enum KeyIDText {
  enum Reading {
    case key(AppKeyID)
    case blank
    case invalid(String)
  }

  /// The reason for text that resembles no known mistake; the others begin with it.
  static let notAnID = "not a UUID (8-4-4-4-12 hexadecimal)"

  /// The reason for an id that is that of something else.
  static let notAKey = "not the id of an application key"

  /// What the reasons for ids of other things say.
  static let otherThings = [notAKey, "not an application key", "not those of application keys"]

  /// Reads `field` without the characters around an id (`Edges.peeled`). The address of a key counts as its id.
  static func read(_ field: ArraySlice<UInt8>) -> Reading {
    if let id = KeyIDBytes.id(field) { return .key(id) }
    let clean = CleanText.clean(field)
    let text = Edges.peeled(clean)
    if text.isEmpty { return Edges.trimmed(clean).isEmpty ? .blank : .invalid("\(notAnID): the quotes are empty") }
    if let id = id(peeled: text) { return .key(id) }
    return .invalid(reason(for: text))
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

  static func reason(for text: ArraySlice<UInt8>) -> String {
    guard let mistake = mistake(in: text) else { return notAnID }
    return "\(notAnID): \(mistake)"
  }

  /// Mistakes that happen in practice, each with how to fix it.
  private static func mistake(in text: ArraySlice<UInt8>) -> String? {
    switch SecretText.kind(in: text.prefix(InvalidLine.excerptBytes)) {
    case .digits32:
      return
        "32 hexadecimal digits are a key id without its dashes, or an API key; write the id as it is shown beside the key"
    case .applicationKey: return "this looks like an application key itself; its id is needed"
    case .accessToken: return "this looks like an access token; the id of an application key is needed"
    case .assignment: return "this looks like a secret with its name; the id of an application key is needed"
    case nil: break
    }
    if text.contains(0) { return "the line contains NUL bytes" }
    if String(validating: text, as: UTF8.self) == nil { return "the line is not UTF-8" }
    if let mark = markBetweenTwo(text) {
      let two = "two ids in one"
      guard mark == UInt8(ascii: ":") else { return "\(two): write the id of the application key alone" }
      return "\(two), as Terraform imports the key of a service account: the second is the key's; "
        + "to keep only that: cut -d: -f2 FILE"
    }
    if KeyIDBytes.id(text.suffix(36)) != nil { return "there is more than a key id on the line" }
    if KeyIDBytes.id(text.prefix(36)) != nil {
      return text.dropFirst(36).first.map(isSeparator) == true
        ? "there is more than a key id on the line; a CSV list needs a header line with a column \(CSVHeader.accepted)"
        : "there is more than a key id on the line"
    }
    if holdsID(text) { return "there is more than a key id on the line" }
    if let dashed = plainDashes(text), KeyIDBytes.id(dashed[...]) != nil { return "write the dashes as plain hyphens" }
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
