// An API key or application key in memory. Text interpolation, logging, dump() and reflection all see the same mask, so
// a secret can only leave where the source says `exposed`.

import Registration

/// A secret that goes into a header of each request: 1 to 4096 bytes of visible ASCII.
///
/// It can be compared but not hashed or encoded: nobody must see its digest or its length.
package struct Secret: Equatable, Sendable {
  /// The longest secret, in bytes.
  package static let maximumLength = 4096

  /// The secret itself. Every use of this name is a place where it leaves protection: it may go into a request, and
  /// into nothing that is stored, shown or logged.
  package let exposed: String

  /// Checks and keeps `bytes`; one line end (LF or CR LF) is stripped. `origin` names where they came from (a path, a
  /// variable), for the message of the error, which never quotes them.
  package init(_ bytes: some Sequence<UInt8>, from origin: String) throws(CredentialError) {
    var bytes = Array(bytes)
    if bytes.last == UInt8(ascii: "\n") {
      bytes.removeLast()
      if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    }
    guard !bytes.isEmpty else {
      throw CredentialError(.malformed, "\(origin) is empty", hint: "put the key into it, and nothing else")
    }
    guard bytes.count <= Self.maximumLength else {
      throw CredentialError(
        .malformed, "\(origin) is longer than \(Self.maximumLength) bytes", hint: "check that it is the right file")
    }
    let text = String(decoding: bytes, as: UTF8.self)
    let isText = !bytes.contains { $0 < 0x20 && ![0x09, 0x0a, 0x0d].contains($0) }
    if isText, let mistake = CredentialForm.mistake(text) {
      throw CredentialError(.malformed, "\(origin) is not a key: it is \(mistake.problem)", hint: mistake.hint)
    }
    if let index = bytes.firstIndex(where: { !(0x21...0x7e).contains($0) }) {
      throw CredentialError(
        .malformed, "\(origin) has a character at byte \(index + 1) that a key cannot have",
        hint: "it must be one line of visible ASCII characters, without spaces or quotes around it")
    }
    exposed = text
  }
}

extension Secret {
  /// A personal or service access token of the vendor (`ddpat_…`, `ddsat_…`): it may be used in place of an application
  /// key, and then no API key is needed. It expires after a day to a year. Source: the vendor's documentation of tokens.
  package enum Token: Hashable, Sendable {
    case personal, service
  }

  /// Nil for any other secret.
  package var token: Token? {
    exposed.hasPrefix("ddpat_") ? .personal : exposed.hasPrefix("ddsat_") ? .service : nil
  }

  /// An application key by its form, old or new.
  package var looksLikeApplicationKey: Bool { isApplicationKey || isHexadecimal(digits: 40) }

  /// An application key in its new form, which nothing else has.
  package var isApplicationKey: Bool { exposed.hasPrefix("ddapp_") }

  /// An API key by its form.
  package var looksLikeAPIKey: Bool { isHexadecimal(digits: 32) }

  private func isHexadecimal(digits: Int) -> Bool {
    exposed.utf8.count == digits && exposed.utf8.allSatisfy(SecretText.isHexadecimal)
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var debugDescription: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
