import ControlAPI
import Foundation

/// Outcomes as they arrive, piece by piece.
enum OutcomePieces {
  static func each(
    _ client: ControlClient, _ query: OutcomeQuery, format: String, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try withoutActuallyEscaping(body) { body in
      var failure: (any Error)?
      try DaemonProbe.during(client) {
        try client.outcomes(query, format: format) { bytes in
          do {
            try body(bytes)
            return true
          } catch {
            failure = error
            return false
          }
        }
      }
      if let failure { throw failure }
    }
  }

  /// As they are, or as rows of a table.
  static func show(
    _ client: ControlClient, _ query: OutcomeQuery, _ format: OutcomesCommand.Format, _ table: OutcomeTable
  ) throws {
    guard format == .table else {
      return try each(client, query, format: format.rawValue) { try StandardOutput.write($0.bytes) }
    }
    try eachOutcome(client, query) { try StandardOutput.write(table.row($0)) }
  }

  static func eachOutcome(
    _ client: ControlClient, _ query: OutcomeQuery, _ body: (OutcomeDocument) throws -> Void
  ) throws {
    var lines = LineSplitter()
    let decoder = JSONDecoder()
    try each(client, query, format: "jsonl") { bytes in
      for line in lines.split(bytes) { try body(try decoder.decode(OutcomeDocument.self, from: line)) }
    }
  }
}

/// Assembles lines from the pieces of a stream.
private struct LineSplitter {
  private var rest = Data()

  mutating func split(_ bytes: UnsafeRawBufferPointer) -> [Data] {
    rest.append(contentsOf: bytes)
    var lines: [Data] = []
    while let end = rest.firstIndex(of: 0x0a) {
      lines.append(rest[rest.startIndex..<end])
      rest = rest[(end + 1)...]
    }
    rest = Data(rest)
    return lines
  }
}
