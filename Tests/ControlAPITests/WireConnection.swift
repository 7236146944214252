import Glibc
import Testing

/// A blocking connection to a Unix socket or a port that speaks HTTP byte by byte, so that tests can misbehave.
final class WireConnection {
  struct Response {
    var status = 0
    var fields: [String: String] = [:]
    var body = ""
    /// False when the connection ended before the body did.
    var isWhole = true
  }

  struct Failure: Error {
    let code: Int32
  }

  private let descriptor: Int32
  private var buffer: [UInt8] = []

  init(socket path: String) throws {
    descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    try finish(address)
  }

  init(port: Int) throws {
    descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    try finish(address)
  }

  private func finish(_ address: some Any) throws {
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = address
    let size = socklen_t(MemoryLayout.size(ofValue: address))
    let result = withUnsafeBytes(of: &address) { bytes -> Int32 in
      guard let base = bytes.baseAddress else { return -1 }
      return connect(descriptor, base.assumingMemoryBound(to: sockaddr.self), size)
    }
    guard result == 0 else { throw Failure(code: errno) }
  }

  deinit { close(descriptor) }

  func send(_ text: String) throws {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw Failure(code: errno) }
      bytes.removeFirst(count)
    }
  }

  /// Ends sending, but still reads.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  func request(_ method: String, _ target: String, host: String = "localhost", body: String? = nil) throws -> Response {
    let length = body.map { "Content-Length: \($0.utf8.count)\r\n" } ?? ""
    try send("\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n\(length)\r\n\(body ?? "")")
    return try #require(try response(hasBody: method != "HEAD"))
  }

  /// Nil when the connection ends before an answer begins. Throws `Failure` for a reset, and when nothing comes in 20 s.
  func response(hasBody: Bool = true) throws -> Response? {
    guard let head = try text(upTo: "\r\n\r\n") else { return nil }
    let lines = head.split(separator: "\r\n")
    var response = Response()
    let statusLine = try #require(lines.first?.split(separator: " "))
    try #require(statusLine.count > 1 && statusLine[0] == "HTTP/1.1", "an answer begins with “\(head)”")
    response.status = try #require(Int(statusLine[1]))
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      response.fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
    }
    guard hasBody, response.status >= 200 else { return response }
    if response.fields["transfer-encoding"] == "chunked" {
      while let chunk = try chunk() {
        if chunk.isEmpty { return response }
        response.body += chunk
      }
      response.isWhole = false
    } else {
      let length = response.fields["content-length"].flatMap { Int($0) } ?? 0
      response.isWhole = try fill(length)
      response.body = take(min(length, buffer.count))
    }
    return response
  }

  /// The head of an answer whose body is read with `chunk`.
  func head() throws -> String? { try text(upTo: "\r\n\r\n") }

  /// The next chunk of a chunked body; empty at its end, nil when the connection ends before that.
  func chunk() throws -> String? {
    guard let line = try text(upTo: "\r\n"), let length = Int(line, radix: 16), try fill(length + 2) else { return nil }
    let chunk = take(length)
    _ = take(2)
    return chunk
  }

  private func text(upTo mark: String) throws -> String? {
    while true {
      if let range = buffer.firstRange(of: Array(mark.utf8)) {
        let text = String(decoding: buffer[..<range.lowerBound], as: UTF8.self)
        buffer.removeFirst(range.upperBound)
        return text
      }
      guard try receive() else { return nil }
    }
  }

  private func fill(_ count: Int) throws -> Bool {
    while buffer.count < count {
      guard try receive() else { return false }
    }
    return true
  }

  private func take(_ count: Int) -> String {
    defer { buffer.removeFirst(count) }
    return String(decoding: buffer.prefix(count), as: UTF8.self)
  }

  private func receive() throws -> Bool {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &chunk, chunk.count, 0)
    guard count >= 0 else { throw Failure(code: errno) }
    buffer += chunk.prefix(count)
    return count > 0
  }
}
