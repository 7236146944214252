import HummingbirdCore
import NIOCore

/// A copy of the queue, written as fast as the client takes it.
struct BackupStream: Sendable {
  let pieces: AsyncThrowingStream<[UInt8], any Error>
  let stall: StallGuard
  let place: LongExchanges.Slot

  func reply() -> ControlReply {
    .stream(contentType: "application/vnd.sqlite3") { [self] writer in
      defer { withExtendedLifetime(place) {} }
      // An error here closes the connection before the last chunk, so the client sees that the copy is incomplete.
      for try await piece in pieces {
        let timer = stall.begin()
        defer { timer.cancel() }
        try await writer.write(ByteBuffer(bytes: piece))
      }
      try await writer.finish(nil)
    }
  }
}
