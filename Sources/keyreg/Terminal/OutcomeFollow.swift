import ControlAPI

/// Shows the outcomes that are known, and then each that becomes known.
///
/// Every status has the number of the newest outcome. So the daemon is asked only when there is news, and then for the
/// outcomes between two numbers: none is missed or shown twice, however late it was recorded.
struct OutcomeFollow {
  let client: ControlClient
  let query: OutcomeQuery
  let format: OutcomesCommand.Format
  let table: OutcomeTable

  func run() throws {
    if format == .table { try StandardOutput.write(table.heading) }
    var query = query
    var failure: (any Error)?
    do {
      try DaemonProbe.during(client) {
        try client.events { status in
          do {
            try showNew(&query, until: status.lastOutcome)
            return true
          } catch {
            failure = error
            return false
          }
        }
      }
      if let failure { throw failure }
    } catch ControlClientError.cutOff {
      // It stops, and said so on its way.
    }
    throw Failure(
      .notRunning, "the daemon has stopped", hint: "to continue later, use --since with the time of the last outcome")
  }

  /// The first time those that are known, in order of import; from then on those that are new, as they came.
  private func showNew(_ query: inout OutcomeQuery, until newest: Int64?) throws {
    guard let newest else {
      throw Failure(
        .internalError, "the daemon is an earlier version, which cannot follow outcomes",
        hint: "restart the daemon, or leave out --follow")
    }
    guard newest > query.after ?? -1 else { return }
    query.until = newest
    try show(query)
    query.after = newest
  }

  private func show(_ query: OutcomeQuery) throws {
    guard format == .csv else {
      return try OutcomePieces.show(client, query, format, table)
    }
    // Each answer begins with the header; only the first one is shown.
    var isHeader = query.after != nil
    try OutcomePieces.each(client, query, format: format.rawValue) { bytes in
      let rest = isHeader ? bytes.drop { $0 != UInt8(ascii: "\n") } : bytes[...]
      let shown = UnsafeRawBufferPointer(rebasing: isHeader ? rest.dropFirst() : rest)
      if !rest.isEmpty { isHeader = false }
      try StandardOutput.write(shown.bytes)
    }
  }
}
