import HummingbirdCore
import NIOCore
import Registration

/// Outcomes written page by page: the next page is read once the client has taken the one before, so that ten million
/// keys need no more memory than a thousand.
struct OutcomeStream: Sendable {
  private static let pageSize = 500

  let query: OutcomeQuery
  let format: ControlRoute.Format
  let backend: any ControlBackend
  let stall: StallGuard
  let place: LongExchanges.Place

  /// Reads the first page, so that an unknown list is an answer of its own and not a broken stream.
  func reply() async throws -> ControlReply {
    let first = try await backend.outcomes(query, after: nil, limit: Self.pageSize)
    let contentType = format == .csv ? "text/csv; charset=utf-8" : "application/jsonl"
    return .stream(contentType: contentType) { [self] writer in
      defer { withExtendedLifetime(place) {} }
      // An error in here closes the connection before the last chunk: the client sees that the stream is not whole.
      if format == .csv { try await write([UInt8](Outcome.csvHeader.utf8), &writer) }
      var page = first
      while true {
        let bytes = try await render(page.rows)
        if !bytes.isEmpty { try await write(bytes, &writer) }
        guard let next = page.next else { break }
        try Task.checkCancellation()
        page = try await backend.outcomes(query, after: next, limit: Self.pageSize)
      }
      try await writer.finish(nil)
    }
  }

  private func write(_ bytes: [UInt8], _ writer: inout any ResponseBodyWriter) async throws {
    let timer = stall.begin()
    defer { timer.cancel() }
    try await writer.write(ByteBuffer(bytes: bytes))
  }

  private func render(_ rows: [Outcome]) async throws -> [UInt8] {
    let format = self.format
    return try await OffLoop.run(on: OffLoop.streams) {
      var bytes: [UInt8] = []
      for row in rows {
        switch format {
        case .csv: bytes += row.csvLine.utf8
        case .jsonl: row.appendJSONLine(to: &bytes)
        }
      }
      return bytes
    }
  }
}

/// Ends the connection of a client that has stopped reading, so that it does not hold a place indefinitely.
struct StallGuard: Sendable {
  let channel: any Channel
  let patience: TimeAmount

  func begin() -> Scheduled<Void> {
    channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
  }
}
