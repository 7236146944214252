import HummingbirdCore
import NIOCore
import Registration

/// Outcomes written page by page: the next page is read once the client has taken the last one, so that ten million
/// keys need no more memory than a thousand.
struct OutcomeStream: Sendable {
  private static let pageSize = 1_000

  let query: OutcomeQuery
  let format: ControlRoute.Format
  let backend: any ControlBackend
  let pages: OffLoop
  let stall: StallGuard
  let place: LongExchanges.Slot

  /// Reads the first page, so that an unknown list gets an error answer, not a broken stream.
  func reply() async throws -> ControlReply {
    let first = try await page(after: nil, rest: query.limit)
    let contentType = format == .csv ? "text/csv; charset=utf-8" : "application/jsonl"
    return .stream(contentType: contentType) { [self] writer in
      defer { withExtendedLifetime(place) {} }
      // An error here closes the connection before the last chunk, so the client sees that the stream is incomplete.
      if format == .csv { try await write([UInt8](Outcome.csvHeader.utf8), &writer) }
      var page = first
      var rest = query.limit
      while true {
        let bytes = try await render(page.rows)
        if !bytes.isEmpty { try await write(bytes, &writer) }
        rest = rest.map { $0 - Int64(page.rows.count) }
        guard let next = page.next, rest != 0 else { break }
        try Task.checkCancellation()
        page = try await self.page(after: next, rest: rest)
      }
      try await writer.finish(nil)
    }
  }

  private func page(after cursor: Int64?, rest: Int64?) async throws -> OutcomePage {
    let size = rest.map { Int(min($0, Int64(Self.pageSize))) } ?? Self.pageSize
    return try await backend.outcomes(query, after: cursor, limit: size)
  }

  private func write(_ bytes: [UInt8], _ writer: inout any ResponseBodyWriter) async throws {
    let timer = stall.begin()
    defer { timer.cancel() }
    try await writer.write(ByteBuffer(bytes: bytes))
  }

  private func render(_ rows: [Outcome]) async throws -> [UInt8] {
    let format = self.format
    return try await pages.run {
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
