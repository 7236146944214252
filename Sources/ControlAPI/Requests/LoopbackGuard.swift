import HTTPTypes

/// What is accepted over TCP: only reads, and only under a name of this machine.
///
/// A web page may make the browser of somebody on this machine send requests here under the page's own name (DNS
/// rebinding); its `Host` gives it away.
struct LoopbackGuard: Sendable {
  /// The address of the listener, without brackets.
  let host: String

  /// Throws `ControlError`: `.methodNotAllowed` or `.misdirected`.
  func admit(_ head: HTTPRequest) throws {
    guard let name = head.authority.map(Self.name), ["localhost", "127.0.0.1", "[::1]", host].contains(name) else {
      throw ControlError(.misdirected, "the host must be localhost, 127.0.0.1 or [::1]")
    }
    guard head.method == .get || head.method == .head else {
      throw ControlError(
        .methodNotAllowed, "over TCP the daemon is read-only; send commands to its socket", allowed: "GET, HEAD")
    }
  }

  /// The host in lower case, without a numeric port.
  private static func name(_ authority: String) -> String {
    let text = authority.lowercased()
    guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else { return text }
    let port = text[text.index(after: colon)...]
    return !port.isEmpty && port.allSatisfy { $0.isASCII && $0.isNumber } ? String(text[..<colon]) : text
  }
}
