import Registration
package import Systemd

/// Takes secrets out of foreign words: a server may echo what it was sent, and nothing that is kept, shown or logged of
/// its reply may have a secret in it. Our own are taken out whatever they look like, others by what they look like.
package struct Redaction: Sendable {
  private let secrets: [[UInt8]]

  /// Knows no secrets of our own.
  package static let none = Redaction(of: [])

  package init(of secrets: [Secret]) {
    self.secrets = secrets.map { Array($0.exposed.utf8) }
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
