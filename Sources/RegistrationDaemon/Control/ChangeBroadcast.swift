import Synchronization

/// Notifies any number of listeners of changes. A slow listener misses ticks, but never the last one.
final class ChangeBroadcast: Sendable {
  private struct State {
    var next = 0
    var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
  }

  private let state = Mutex(State())

  func tick() {
    for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield() }
  }

  func listen() -> AsyncStream<Void> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      let number = state.withLock { state in
        state.next += 1
        state.listeners[state.next] = continuation
        return state.next
      }
      continuation.onTermination = { @Sendable [weak self] _ in
        _ = self?.state.withLock { $0.listeners.removeValue(forKey: number) }
      }
    }
  }
}
