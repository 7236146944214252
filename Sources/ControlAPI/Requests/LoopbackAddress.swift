import Registration

/// Where the read-only pages are served over TCP: `127.0.0.1:9464`, `[::1]:9464`, `localhost:9464`.
package struct LoopbackAddress: Equatable, Sendable, CustomStringConvertible {
  /// An IPv4 address of 127.0.0.0/8, or `::1`.
  package let host: String
  /// 0…65,535; 0 lets the system choose.
  package let port: Int

  /// Throws `ControlServerError` for another form and for an address that others could reach.
  package init(parsing text: String) throws {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
      text[text.index(after: colon)...].allSatisfy({ $0.isASCII && $0.isNumber })
    else { throw Self.error(text, "is not HOST:PORT") }
    self.port = Int(port)
    switch text[..<colon].lowercased() {
    case "localhost": host = "127.0.0.1"
    case "[::1]": host = "::1"
    case let name where Self.isLoopbackV4(name): host = name
    default: throw Self.error(text, "is not a loopback address")
    }
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  private static func isLoopbackV4(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
      && parts.allSatisfy { part in
        part.allSatisfy { $0.isASCII && $0.isNumber } && UInt8(part).map { String($0) == part } ?? false
      }
  }

  private static func error(_ text: String, _ problem: String) -> ControlServerError {
    ControlServerError(
      "“\(PrintableText.escape(text))” \(problem)", hint: "write 127.0.0.1:PORT, [::1]:PORT or localhost:PORT")
  }
}
