// An API key or application key in memory. Text interpolation, logging, dump() and reflection all see the same mask, so a
// secret can only get out where the source says `exposed`.

/// A secret that goes into a header of each request: 1 to 4096 bytes of visible ASCII.
///
/// It can be compared but not hashed or encoded: neither its digest nor its length is for anybody to see.
package struct Secret: Equatable, Sendable {
  /// The longest secret, in bytes.
  package static let maximumLength = 4096

  /// The secret itself. Every use of this name is a place where it leaves protection: it belongs into a request, and
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
      throw CredentialError(.malformed, "\(origin) is empty", hint: "put the key itself into it, and nothing else")
    }
    guard bytes.count <= Self.maximumLength else {
      throw CredentialError(
        .malformed, "\(origin) is longer than \(Self.maximumLength) bytes", hint: "is it the right file?")
    }
    let text = String(decoding: bytes, as: UTF8.self)
    let isLine = !bytes.contains { $0 < 0x20 || $0 > 0x7e }
    if isLine, let mistake = CredentialForm.mistake(text) {
      throw CredentialError(.malformed, "\(origin) is no key: it is \(mistake.problem)", hint: mistake.hint)
    }
    if let index = bytes.firstIndex(where: { !(0x21...0x7e).contains($0) }) {
      throw CredentialError(
        .malformed, "\(origin) holds a character at byte \(index + 1) that no key has",
        hint: "it must be one line of visible ASCII characters, without spaces or quotes around it")
    }
    exposed = text
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var debugDescription: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
