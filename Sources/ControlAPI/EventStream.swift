import HTTPServer
import HummingbirdCore
import NIOCore
import Synchronization

/// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): a `status` event at once and on
/// every change, never more than four a second, and the last change is never left out.
struct EventStream: Sendable {
  private static let shortestGap = Duration.milliseconds(250)

  let backend: any ControlBackend
  let channel: any Channel
  let stall: StallGuard
  let place: LongExchanges.Place
  /// A comment is sent after so long a silence, so that both sides notice when the other is gone.
  let keepAlive: Duration

  func reply() -> ControlReply {
    .stream(contentType: "text/event-stream") { [self] writer in
      defer { withExtendedLifetime(place) {} }
      let (wakeUps, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
      let hasChanged = Flag()
      let changes = backend.changes()
      try await write(event(), &writer)
      // The writer stays in this task; the others only wake it. A client that is gone, or a server that stops, ends all
      // of them by the error that writing or waiting throws.
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
        for await _ in wakeUps {
          if hasChanged.lower() {
            try await write(event(), &writer)
            try await channel.eventLoop.sleep(for: Self.shortestGap)
          } else {
            try await write(": still here\n\n", &writer)
          }
        }
      }
      try await writer.finish(nil)
    }
  }

  private func event() async throws -> String {
    let status = String(decoding: try DocumentCoding.encode(await backend.status()), as: UTF8.self)
    return "event: status\ndata: \(status)\n\n"
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
