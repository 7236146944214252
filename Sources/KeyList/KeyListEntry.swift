package import Registration

/// One entry of a key list: a key, or something else in the place of one.
///
/// The same bytes always give the same entries in the same order, however they arrive: an interrupted import continues
/// by skipping the entries that it has already committed.
package enum KeyListEntry: Hashable, Sendable {
  /// A key id and its line (from 1).
  case key(AppKeyID, line: Int)
  /// A bad line. It never stops the good ones.
  case invalid(InvalidLine)
}

/// A line without a usable key id, as receipts list it.
package struct InvalidLine: Hashable, Sendable {
  /// The line in the list, from 1.
  package var line: Int
  /// The text of the line: at most 200 characters, escapes and `…` included, secrets cut out.
  package var text: String
  /// Why it is not a key id and, if known, what to change.
  package var reason: InvalidReason

  package init(line: Int, text: String, reason: InvalidReason) {
    self.line = line
    self.text = text
    self.reason = reason
  }

  /// Whether there is a key id among other characters.
  package var holdsID: Bool { KeyIDText.holdsID(Array(text.utf8)[...]) }

  /// Bytes of a line that are used to show it: enough for 200 characters of four bytes, and a bound for characters made
  /// of thousands of combining marks.
  static let excerptBytes = 1024

  /// Shows `bytes` from the list. `isCut` says that the line continues after them.
  init(line: Int, bytes: some Collection<UInt8>, isCut: Bool = false, reason: InvalidReason) {
    self.init(line: line, text: Self.shown(bytes, isCut: isCut), reason: reason)
  }

  /// `bytes` for display: at most `characters` of them, control characters escaped, secrets cut out.
  static func shown(_ bytes: some Collection<UInt8>, characters: Int = 200, isCut: Bool = false) -> String {
    var shown = bytes.prefix(excerptBytes).map { $0 }
    let isCut = isCut || shown.count < bytes.count
    if isCut { dropPartialScalar(&shown) }
    // Invisible marks and escapes may split a secret: the reader resolves them, too.
    let clean = Array(CleanText.clean(shown[...]))
    let plain = clean.contains(UInt8(ascii: "\\")) ? JSONEscape.resolved(clean[...]) : clean
    if SecretText.kind(in: plain) != nil { shown = plain } else if SecretText.kind(in: clean) != nil { shown = clean }
    let text = String(decoding: SecretText.redacted(shown, isCut: isCut), as: UTF8.self)
    return PrintableText.excerpt(text, limit: characters, isCut: isCut)
  }

  /// Removes the bytes of a UTF-8 sequence that the cut went through: at most three.
  private static func dropPartialScalar(_ bytes: inout [UInt8]) {
    for _ in 0..<3 {
      guard let last = bytes.last, last >= 0x80 else { return }
      bytes.removeLast()
      if last >= 0xc0 { return }
    }
  }
}

extension InvalidLine: Encodable {
  private enum CodingKeys: CodingKey {
    case line, text, reason
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(line, forKey: .line)
    try container.encode(text, forKey: .text)
    try container.encode(reason.description, forKey: .reason)
  }
}
