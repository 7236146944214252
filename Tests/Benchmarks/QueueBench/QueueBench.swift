// The queue alone, without spool, requests or daemon, for Tests/Benchmarks/run.py:
//
//   queue-bench [--group 200] LIST FOLDER
//
// Enters the key ids of LIST (one a line) into a new queue in FOLDER, then takes and records them until none is due. Every group
// is durable before the next one begins. Prints {"enqueue": …, "work": …}, seconds each.

import ArgumentParser
import Foundation
import Registration
import RegistrationQueue

@main
struct QueueBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "queue-bench", abstract: "Enqueues, takes and records the keys of a list, and prints how long it took."
  )

  @Option(help: "Keys in one commit, and in one read.")
  var group = 200

  @Argument var list: String
  @Argument var folder: String

  func validate() throws {
    guard group > 0 else { throw ValidationError("--group is 1 or more") }
  }

  func run() throws {
    let keys = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n").compactMap { AppKeyID($0) }
    let queue = try RegistrationQueue(path: folder + "/queue.sqlite")
    let clock = ContinuousClock()
    let enqueued = try clock.measure { try enqueue(keys, in: queue) }
    let worked = try clock.measure { try work(on: queue) }
    guard queue.tally[.registered] == keys.count else { throw ValidationError("not every key of the list was new") }
    try queue.finish()
    print(#"{"enqueue": \#(enqueued / .seconds(1)), "work": \#(worked / .seconds(1))}"#)
  }

  private func enqueue(_ keys: [AppKeyID], in queue: RegistrationQueue) throws {
    let source = ListSource(name: "list", sha256: "", bytes: 0, modified: 0, format: "text", arrivedAt: .now())
    let record = try queue.beginImport(source, first: ImportBatch(), isWhole: false)
    for start in stride(from: 0, to: keys.count, by: group) {
      var batch = ImportBatch()
      batch.keys = Array(keys[start..<min(start + group, keys.count)])
      try queue.importBatch(batch, into: record.id, of: source, isLast: start + group >= keys.count)
    }
  }

  private func work(on queue: RegistrationQueue) throws {
    while case let due = try queue.dueKeys(limit: group, except: [], horizon: 3_600), !due.isEmpty {
      let now = Timestamp.now()
      try queue.record(
        due.map { KeyResult(row: $0.row, decision: .registered, httpStatus: 201, sentAt: now, at: now) })
    }
  }
}
