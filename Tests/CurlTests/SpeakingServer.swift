import Foundation
import Synchronization
import Testing

/// Answers each request on any number of kept-alive connections, and says something more when told to.
final class SpeakingServer: Sendable {
  private struct State {
    var asked = 0
    var connections: [Int32] = []
  }

  let port: UInt16
  private let listener: Int32
  private let unasked: [UInt8]
  private let closes: Bool
  private let state = Mutex(State())

  init(answer: String, unasked: String, closes: Bool) throws {
    let (listener, port) = try loopbackListener()
    self.listener = listener
    self.unasked = Array(unasked.utf8)
    self.closes = closes
    self.port = port
    DispatchQueue(label: "speaking server").async { @Sendable [self] in
      while true {
        let peer = accept(listener, nil, nil)
        guard peer >= 0 else { return }
        state.withLock { $0.connections.append(peer) }
        DispatchQueue(label: "a connection").async { @Sendable [self] in
          var buffer = [UInt8](repeating: 0, count: 65_536)
          while read(peer, &buffer, buffer.count) > 0 {
            state.withLock { $0.asked += 1 }
            let bytes = Array(answer.utf8)
            _ = send(peer, bytes, bytes.count, Int32(MSG_NOSIGNAL))
          }
        }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
    for peer in state.withLock({ $0.connections }) { close(peer) }
  }

  /// Requests that were read.
  var asked: Int { state.withLock { $0.asked } }
  /// Connections that were made.
  var accepted: Int { state.withLock { $0.connections.count } }

  /// Sends what nobody asked for on the newest connection. On loopback it has arrived when this returns.
  func speakUp() {
    guard let peer = state.withLock({ $0.connections.last }) else { return }
    _ = send(peer, unasked, unasked.count, Int32(MSG_NOSIGNAL))
    if closes { shutdown(peer, Int32(SHUT_WR)) }
  }
}
