import Registration

/// The query of a request, decoded, with only the names that its route knows.
struct QueryParameters {
  private var values: [String: [String]] = [:]

  /// Throws `ControlError` `.badRequest` for a name that is not in `allowed` and for text that is not percent-encoded UTF-8.
  init(_ query: Substring, allowed: [String]) throws {
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = try PercentEncoding.decode(parts[0])
      guard allowed.contains(name) else {
        let known = allowed.isEmpty ? "this path takes none" : "known are \(allowed.joined(separator: ", "))"
        throw ControlError(.badRequest, "unknown query parameter “\(PrintableText.escape(name))”; \(known)")
      }
      values[name, default: []].append(parts.count == 2 ? try PercentEncoding.decode(parts[1]) : "")
    }
  }

  /// The value of a parameter that may come once. Nil when it is missing or empty.
  func single(_ name: String) throws -> String? {
    guard let values = values[name] else { return nil }
    guard values.count == 1 else { throw ControlError(.badRequest, "the query parameter “\(name)” is given twice") }
    return values[0].isEmpty ? nil : values[0]
  }

  /// Every value of a parameter that may come more than once.
  func all(_ name: String) -> [String] { values[name] ?? [] }

  /// True for `true`, `1`, and the bare name.
  func flag(_ name: String) throws -> Bool {
    switch (values[name] != nil, try single(name)) {
    case (true, nil), (_, "true"), (_, "1"): return true
    case (false, nil), (_, "false"), (_, "0"): return false
    default: throw ControlError(.badRequest, "the query parameter “\(name)” must be true or false")
    }
  }

  /// The value as a whole number.
  func number(_ name: String, in range: ClosedRange<Int64>) throws -> Int64? {
    guard let text = try single(name) else { return nil }
    guard let number = Int64(text), range.contains(number) else {
      let end = range.upperBound == .max ? "" : " to \(range.upperBound)"
      throw ControlError(
        .badRequest, "the query parameter “\(name)” must be a whole number from \(range.lowerBound)\(end)")
    }
    return number
  }

  /// The value as one of the words of `type`.
  func word<Word: CaseIterable>(
    _ name: String, of type: Word.Type, spelled: (Word) -> String
  ) throws -> Word? {
    guard let text = try single(name) else { return nil }
    guard let word = Word.allCases.first(where: { spelled($0) == text }) else {
      let words = Word.allCases.map(spelled).joined(separator: ", ")
      throw ControlError(.badRequest, "unknown \(name) “\(PrintableText.escape(text))”; it is one of \(words)")
    }
    return word
  }
}

/// Percent-encoding (RFC 3986, section 2.1). A plus sign is a plus sign.
enum PercentEncoding {
  /// Throws `ControlError` `.badRequest` for an invalid escape, and when the bytes are not UTF-8 or contain NUL.
  static func decode(_ text: some StringProtocol) throws -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, rest.prefix(2).allSatisfy(isHexadecimal),
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      else { throw ControlError(.badRequest, "a percent sign is not followed by two hexadecimal digits") }
      bytes.append(value)
      rest.removeFirst(2)
    }
    guard let decoded = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw ControlError(.badRequest, "the address is not percent-encoded UTF-8")
    }
    return decoded
  }

  /// Encodes all but the unreserved characters, for a path segment or a query value.
  static func encode(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      if isUnreserved(byte) {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool { Character(Unicode.Scalar(byte)).isHexDigit }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
      true
    default: false
    }
  }
}
