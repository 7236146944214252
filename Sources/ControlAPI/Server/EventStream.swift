import HTTPServer
import HummingbirdCore
import NIOCore
import Synchronization

/// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): a `status` event at once and
/// after every change, at most four a second, and always including the last change. What is waited for is counted down every
/// second.
struct EventStream: Sendable {
  private static let shortestGap = Duration.milliseconds(250)
  private static let countdown = Duration.seconds(1)

  let backend: any ControlBackend
  let channel: any Channel
  let stall: StallGuard
  let place: LongExchanges.Slot
  /// A comment is sent after this much silence, so that both sides notice when the other is gone.
  let keepAlive: Duration

  func reply() -> ControlReply {
    .stream(contentType: "text/event-stream") { [self] writer in
      defer { withExtendedLifetime(place) {} }
      let (wakeUps, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
      let hasChanged = Flag()
      let countsDown = Flag()
      let changes = backend.changes()
      try await write(event(countsDown), &writer)
      // The writer stays in this task; the others only wake it. If the client is gone or the server stops, writing or
      // waiting throws, which ends all of them.
      try await withThrowingTaskGroup { group in
        defer { group.cancelAll() }
        group.addTask {
          for await _ in changes {
            hasChanged.raise()
            wake.yield()
          }
          wake.finish()
        }
        group.addTask {
          while true {
            try await channel.eventLoop.sleep(for: keepAlive)
            wake.yield()
          }
        }
        group.addTask {
          while true {
            try await channel.eventLoop.sleep(for: Self.countdown)
            guard countsDown.lower() else { continue }
            hasChanged.raise()
            wake.yield()
          }
        }
        for await _ in wakeUps {
          if hasChanged.lower() {
            try await write(event(countsDown), &writer)
            try await channel.eventLoop.sleep(for: Self.shortestGap)
          } else {
            try await write(": still here\n\n", &writer)
          }
        }
      }
      try await writer.finish(nil)
    }
  }

  private func event(_ countsDown: Flag) async throws -> String {
    let status = await backend.status()
    if status.state == .waiting || status.state == .holding { countsDown.raise() }
    return "event: status\ndata: \(String(decoding: try DocumentCoding.encode(status), as: UTF8.self))\n\n"
  }

  private func write(_ text: String, _ writer: inout any ResponseBodyWriter) async throws {
    let timer = stall.begin()
    defer { timer.cancel() }
    try await writer.write(ByteBuffer(string: text))
  }

  private final class Flag: Sendable {
    private let isRaised = Mutex(false)

    func raise() { isRaised.withLock { $0 = true } }

    /// True when it was raised.
    func lower() -> Bool {
      isRaised.withLock { raised in
        defer { raised = false }
        return raised
      }
    }
  }
}
