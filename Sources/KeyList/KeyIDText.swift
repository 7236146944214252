import Registration

/// Reads the text of one key id as it stands in a list, and says what is wrong with one that is none.
enum KeyIDText {
  enum Reading {
    case key(AppKeyID)
    case blank
    case invalid(String)
  }

  /// The reason for text that resembles no known mistake; the others begin with it.
  static let notAnID = "not a UUID (8-4-4-4-12 hexadecimal)"

  /// Reads `field` with the white space and the quotes around it stripped.
  static func read(_ field: ArraySlice<UInt8>) -> Reading {
    if let id = KeyIDBytes.id(field) { return .key(id) }
    let text = Edges.stripped(field)
    if text.isEmpty { return Edges.trimmed(field).isEmpty ? .blank : .invalid("\(notAnID): the quotes are empty") }
    if let id = KeyIDBytes.id(text) { return .key(id) }
    return .invalid(reason(for: text))
  }

  private static func reason(for text: ArraySlice<UInt8>) -> String {
    guard let mistake = mistake(in: text) else { return notAnID }
    return "\(notAnID): \(mistake)"
  }

  /// The mistakes that are seen in practice, each with what mends it.
  private static func mistake(in text: ArraySlice<UInt8>) -> String? {
    if SecretText.isApplicationKey(text) { return "this looks like an application key itself; its id is wanted" }
    if text.contains(0) { return "the line holds NUL bytes" }
    if String(validating: text, as: UTF8.self) == nil { return "the line is not UTF-8" }
    let middle = text.dropFirst().dropLast()
    if let first = text.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "("), KeyIDBytes.id(middle) != nil {
      return "remove the brackets around it"
    }
    if KeyIDBytes.id(text.suffix(36)) != nil {
      let lead = text.dropLast(36)
      if lead.elementsEqual("urn:uuid:".utf8) { return "remove urn:uuid: before it" }
      return "there is more than a key id on the line"
    }
    if text.count == 32, text.allSatisfy(SecretText.isHexadecimal) { return "the dashes are missing" }
    if KeyIDBytes.id(text.prefix(36)) != nil {
      return text.dropFirst(36).first.map(isSeparator) == true
        ? "there is more than a key id on the line; "
          + "a CSV list needs a header line with a column app_key_id, key_id or id"
        : "there is more than a key id on the line"
    }
    if let dashed = plainDashes(text), KeyIDBytes.id(dashed[...]) != nil { return "write the dashes as plain hyphens" }
    return nil
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\t")
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
