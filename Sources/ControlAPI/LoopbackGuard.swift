import HTTPTypes

/// What may come in over TCP: reading only, and only under a name of this machine.
///
/// A web page may have the browser of somebody on this machine send requests here under the page's own name (DNS
/// rebinding); its `Host` gives it away.
struct LoopbackGuard: Sendable {
  /// The address that is listened on, without brackets.
  let host: String

  /// Throws `ControlError`: `.methodNotAllowed` or `.misdirected`.
  func admit(_ head: HTTPRequest) throws {
    guard let name = head.authority.map(Self.name), ["localhost", "127.0.0.1", "[::1]", host].contains(name) else {
      throw ControlError(.misdirected, "this address answers to localhost, 127.0.0.1 and [::1] only")
    }
    guard head.method == .get || head.method == .head else {
      throw ControlError(
        .methodNotAllowed, "over TCP the daemon can only be read; commands go to its socket", allowed: "GET, HEAD")
    }
  }

  /// The host in lower case, without a port that is a number.
  private static func name(_ authority: String) -> String {
    let text = authority.lowercased()
    guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else { return text }
    let port = text[text.index(after: colon)...]
    return !port.isEmpty && port.allSatisfy { $0.isASCII && $0.isNumber } ? String(text[..<colon]) : text
  }
}
