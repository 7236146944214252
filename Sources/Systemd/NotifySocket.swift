// The datagram socket on which systemd receives a service's messages, without libsystemd: sd_notify(3) documents the
// protocol as stable and simple enough to reimplement.

import Glibc

/// An open, non-blocking datagram socket and the address its messages go to.
///
/// The address is used again for each message instead of connecting once, so a supervisor that comes back and binds the
/// same path is reached again.
final class NotifySocket: Sendable {
  private let descriptor: Int32
  private let address: sockaddr_un
  private let addressLength: socklen_t

  /// `name` is an absolute path, or `@` and the name of an abstract socket. Nil for any other form, for a name that is
  /// too long for a socket address (107 bytes), and when no socket can be opened.
  init?(name: String) {
    let isAbstract = name.hasPrefix("@")
    guard isAbstract || name.hasPrefix("/") else { return nil }
    var path = Array(name.utf8)
    if isAbstract { path[0] = 0 }
    var address = sockaddr_un()
    guard path.count > 1, path.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }

    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_UNIX, kind, 0)
    guard descriptor >= 0 else { return nil }
    self.descriptor = descriptor
    self.address = address
    // The name of an abstract socket has no terminator: every byte of the length counts.
    let pathOffset = MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? MemoryLayout<sa_family_t>.size
    addressLength = socklen_t(pathOffset + path.count + (isAbstract ? 0 : 1))
  }

  deinit { close(descriptor) }

  /// Sends one datagram. False when the socket is full, gone or refuses; it never waits.
  func send(_ message: String) -> Bool {
    var message = message
    return message.withUTF8 { bytes in
      withUnsafePointer(to: address) { address in
        address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          sendto(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), address, addressLength)
            == bytes.count
        }
      }
    }
  }
}
