import Foundation
import GRDB
import Registration
import Testing

@testable import RegistrationQueue

/// Whatever happens to keys, the counters are what counting would give.
@Suite struct CounterTests {
  @Test(arguments: 0..<8) func countersEqualACount(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let temporary = try TemporaryQueue()
    for step in 0..<60 {
      switch Int.random(in: 0..<8, using: &random) {
      case 0, 1:
        let start = UInt64.random(in: 0..<40, using: &random)
        try temporary.add(
          keys(Int.random(in: 1...15, using: &random), from: start), as: "list-\(step)",
          isForced: Bool.random(using: &random))
      case 2:
        if let list = try temporary.queue.lists(limit: 1_000).rows.randomElement(using: &random) {
          _ = try temporary.queue.cancel(list.id, at: .now())
        }
      case 3:
        _ = try temporary.queue.retry(RetrySelection())
      default:
        let decisions: [KeyResult.Decision] = [
          .registered, .failed, .retry(due: .now()), .postpone(due: .now()), .charge, .spare,
        ]
        for key in try temporary.due(5) {
          try temporary.record(key, decisions.randomElement(using: &random) ?? .registered)
        }
      }
      let counted = try temporary.recount()
      for state in KeyState.allCases {
        #expect(temporary.queue.tally[state] == counted.tally[state.rawValue] ?? 0)
      }
      let lastDue = try temporary.queue.pool.read { database in
        try Int64.fetchOne(database, sql: "SELECT MAX(due_at) FROM key WHERE state = 1")
      }
      #expect(temporary.queue.tally.lastDue?.milliseconds == lastDue)
      var active = 0
      var progress = OpenProgress()
      for list in try temporary.queue.lists(limit: 1_000).rows {
        for state in KeyState.allCases {
          #expect(list.keys[state] == counted.lists[list.name]?[state.rawValue] ?? 0)
        }
        #expect((list.finishedAt != nil) == (list.keys.open == 0))
        guard list.keys.open > 0 else { continue }
        active += 1
        progress.done += list.keys.done
        progress.total += list.keys.total
      }
      #expect(temporary.queue.openProgress == progress)
      #expect(temporary.queue.listTotals.active == active)
    }
    let before = (temporary.queue.tally, temporary.queue.openProgress)
    try temporary.reopen()
    #expect((temporary.queue.tally, temporary.queue.openProgress) == before)
  }
}
