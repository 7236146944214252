// The service manager's end of the notify socket: a real datagram socket that the tests read.

import Glibc
import TestSupport

final class NotifyReceiver {
  private let descriptor: Int32

  /// Binds a path, or an abstract name when it begins with `@`.
  init(_ name: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError(errno) }
    let bound = Self.withAddress(name) { bind(descriptor, $0, $1) }
    guard bound == 0 else { throw SystemError(errno) }
  }

  deinit { close(descriptor) }

  /// The next datagram, nil when none is waiting. Datagrams on one machine arrive before the send returns.
  func next() -> String? {
    var buffer = [UInt8](repeating: 0, count: 8192)
    let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
  }

  /// Sends datagrams to `name` until no more are taken. Returns how many were.
  static func fill(_ name: String) throws -> Int {
    let sender = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard sender >= 0 else { throw SystemError(errno) }
    defer { close(sender) }
    var count = 0
    while withAddress(name, { sendto(sender, "x", 1, 0, $0, $1) }) == 1 { count += 1 }
    guard errno == EAGAIN else { throw SystemError(errno) }
    return count
  }

  private static func withAddress<Result>(
    _ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(name.utf8)
    if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 } else { bytes.append(0) }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }
}
