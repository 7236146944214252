import ControlAPI
import Foundation
import Glibc
import Registration
import RegistrationDaemon

/// Shows the outcomes that are known, and then each that becomes known.
///
/// The daemon finds what is new by looking at the time of each outcome, so this asks after changes only, and rests ten
/// times as long as the last answer took.
struct OutcomeFollow {
  /// An outcome may be recorded later than others that came after it, by at most this many seconds.
  private static let overlap = 120.0
  /// Seconds between two questions.
  private static let shortestRest = 1.0

  let client: ControlClient
  let query: OutcomeQuery
  let format: OutcomesCommand.Format
  let table: OutcomeTable

  private struct Shown: Hashable {
    var id: AppKeyID
    var at: Timestamp
  }

  func run() throws {
    switch format {
    case .table: try StandardOutput.write(table.heading)
    case .csv: try StandardOutput.write(Outcome.csvHeader)
    case .jsonl: break
    }
    var query = query
    var shown: Set<Shown> = []
    var failure: (any Error)?
    var asksAgainAt = -Double.infinity
    try client.events { _ in
      do {
        let wait = asksAgainAt - MonotonicClock.now()
        if wait > 0 { usleep(UInt32(wait * 1_000_000)) }
        let begin = MonotonicClock.now()
        try showNew(&query, &shown)
        let now = MonotonicClock.now()
        asksAgainAt = now + max(Self.shortestRest, 10 * (now - begin))
        return true
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
    throw Failure(.notRunning, "the daemon has stopped", hint: "--since shows what came after a time")
  }

  private func showNew(_ query: inout OutcomeQuery, _ shown: inout Set<Shown>) throws {
    let next = Timestamp.now().adding(seconds: -Self.overlap)
    try OutcomePieces.eachOutcome(client, query) { outcome in
      guard let at = outcome.finishedAt else { return }
      let key = Shown(id: outcome.id, at: at)
      guard !shown.contains(key) else { return }
      if at >= next { shown.insert(key) }
      switch format {
      case .table: try StandardOutput.write(table.row(outcome))
      case .csv: try StandardOutput.write(outcome.csvLine)
      case .jsonl: try StandardOutput.line(try outcome.json())
      }
    }
    query.since = max(next, query.since ?? next)
    shown = shown.filter { $0.at >= next }
  }
}
