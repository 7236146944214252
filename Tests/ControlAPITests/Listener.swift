import Dispatch
import Glibc
import Testing

/// A Unix socket of another listener: it answers every connection with the same bytes and closes it, or accepts none at
/// all. When it goes away, its file stays behind.
final class Listener {
  private let descriptor: Int32
  private let ended = DispatchSemaphore(value: 0)
  private var answers = false

  /// - Parameter answer: Nil to accept none, at least until `begin`.
  init(path: String, answer: String? = nil) throws {
    let listening = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    descriptor = listening
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listening, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(result == 0 && listen(listening, 8) == 0)
    if let answer { begin(answer) }
  }

  func begin(_ answer: String) {
    answers = true
    let (listening, ended) = (descriptor, self.ended)
    DispatchQueue(label: "listener").async { @Sendable in
      while case let peer = accept(listening, nil, nil), peer >= 0 {
        var request = [UInt8](repeating: 0, count: 4096)
        _ = recv(peer, &request, request.count, 0)
        _ = send(peer, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
        close(peer)
      }
      ended.signal()
    }
  }

  /// Stops answering. Until then it listens.
  func end() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    if answers { ended.wait() }
  }

  deinit { close(descriptor) }
}
