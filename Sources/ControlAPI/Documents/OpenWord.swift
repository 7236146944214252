import Registration

/// One of some words in a document. The daemon of a later version may use another one, which is passed on and shown.
package protocol OpenWord: RawRepresentable, Codable, Hashable, Sendable, CaseIterable where RawValue == String {
  static func other(_ word: String) -> Self
}

extension OpenWord {
  /// Of another word, only what is safe for a terminal.
  package init(rawValue: String) {
    self = Self.allCases.first { $0.rawValue == rawValue } ?? .other(PrintableText.escape(rawValue, limit: 40))
  }
}
