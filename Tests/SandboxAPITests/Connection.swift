import Glibc
import Testing

/// A blocking TCP connection that speaks HTTP byte by byte, so that tests see exactly what is on the wire.
final class Connection {
  struct Response {
    var status = 0
    var reason = ""
    var fields: [String: String] = [:]
    var body = ""
    /// False when the connection ended before the announced length of the body.
    var isWhole = true
  }

  struct Failure: Error {
    let code: Int32
  }

  private let descriptor: Int32
  private var buffer: [UInt8] = []

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Failure(code: errno) }
  }

  deinit { close(descriptor) }

  func send(_ text: String) throws {
    let bytes = Array(text.utf8)
    guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      throw Failure(code: errno)
    }
  }

  func request(
    _ method: String, _ path: String, headers: [String: String] = ["DD-API-KEY": "a", "DD-APPLICATION-KEY": "b"]
  ) throws -> Response? {
    let lines = headers.map { "\($0): \($1)\r\n" }.joined()
    try send("\(method) \(path) HTTP/1.1\r\nHost: sandbox\r\n\(lines)\r\n")
    return try response()
  }

  /// Nil when the connection ends before an answer begins. Throws `Failure` with ECONNRESET for a reset, EAGAIN when
  /// nothing comes in time.
  func response(hasBody: Bool = true) throws -> Response? {
    let blankLine = Array("\r\n\r\n".utf8)
    while buffer.firstRange(of: blankLine) == nil {
      guard try receive() else { return nil }
    }
    guard let end = buffer.firstRange(of: blankLine) else { return nil }
    let lines = String(decoding: buffer[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
    buffer.removeFirst(end.upperBound)
    var response = Response()
    let statusLine = lines[0].split(separator: " ", maxSplits: 2)
    response.status = try #require(Int(statusLine[1]))
    response.reason = statusLine.count > 2 ? String(statusLine[2]) : ""
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      response.fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
    }
    guard hasBody else { return response }
    let length = response.fields["content-length"].flatMap { Int($0) } ?? 0
    while buffer.count < length {
      guard try receive() else {
        response.isWhole = false
        break
      }
    }
    let count = min(length, buffer.count)
    response.body = String(decoding: buffer.prefix(count), as: UTF8.self)
    buffer.removeFirst(count)
    return response
  }

  /// False at the end of the connection.
  private func receive() throws -> Bool {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &chunk, chunk.count, 0)
    guard count >= 0 else { throw Failure(code: errno) }
    buffer += chunk.prefix(count)
    return count > 0
  }
}
