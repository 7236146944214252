import Foundation
import Registration
package import Secrets

/// Removes secrets from foreign text: a server may echo what it was sent, and nothing of its reply that is stored,
/// shown or logged may contain a secret. Our own are removed whatever they look like, others by their form.
package struct Redaction: Sendable {
  private let secrets: [[UInt8]]

  /// Without secrets of our own.
  package static let none = Redaction(of: [])

  /// - Parameter proxies: URLs of proxies; a user and a password in them are secrets.
  package init(of secrets: [Secret], proxies: [String] = []) {
    // The longest first: one may be the beginning of another, whose rest would stay.
    self.secrets = (secrets.map { Array($0.exposed.utf8) } + proxies.flatMap(Self.words(ofProxy:)))
      .sorted { $0.count > $1.count }
  }

  /// The password of a proxy as it is written and without percent signs, and both names as they are sent to it (Basic).
  /// Fewer than four bytes are part of too many words.
  private static func words(ofProxy url: String) -> [[UInt8]] {
    let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
    guard let sign = rest.lastIndex(of: "@") else { return [] }
    let written = rest[..<sign].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let names = written.map { $0.removingPercentEncoding ?? $0 }
    let sent = Data(names.joined(separator: ":").utf8).base64EncodedString()
    return ([sent] + [written, names].flatMap { $0.dropFirst() }).map { Array($0.utf8) }.filter { $0.count >= 4 }
  }

  package func callAsFunction(_ bytes: [UInt8]) -> [UInt8] {
    SecretText.redacted(secrets.reduce(bytes) { Self.redact($1, in: $0) })
  }

  package func callAsFunction(_ text: String) -> String {
    let bytes = Array(text.utf8)
    let redacted = self(bytes)
    return redacted == bytes ? text : String(decoding: redacted, as: UTF8.self)
  }

  private static func redact(_ secret: [UInt8], in text: [UInt8]) -> [UInt8] {
    guard var match = text.firstRange(of: secret) else { return text }
    var result: [UInt8] = []
    var rest = text[...]
    while true {
      result += rest[..<match.lowerBound] + Array("(redacted)".utf8)
      rest = rest[match.upperBound...]
      guard let next = rest.firstRange(of: secret) else { return result + rest }
      match = next
    }
  }
}

/// The last text from the server without its secrets: the next reply usually says the same.
final class ShownName {
  private var last: (word: String, shown: String)?

  func shown(_ word: String, redacted: (String) -> String) -> String {
    if let last, last.word == word { return last.shown }
    let shown = redacted(word)
    last = (word, shown)
    return shown
  }
}
