import Foundation
import GRDB
import Registration
import Testing

@testable import RegistrationQueue

/// One flipped bit in the files of a queue: refused at the start, found by the check of the queue, or without effect on
/// what the queue returns. The long form counts them: `KEYREG_ROUNDS=5000 swift test --filter BitRotTests`.
@Suite struct BitRotTests {
  private static let rounds = ProcessInfo.processInfo.environment["KEYREG_ROUNDS"].flatMap { Int($0) } ?? 60

  private enum Ending: String, CaseIterable {
    case refused = "refused at the start"
    case found = "found by the check"
    case harmless = "without effect"
    case unseen
  }

  @Test func aFlippedBitInTheDatabase() throws {
    let temporary = try Self.queue(keys: 3_000)
    try temporary.queue.close()
    let files = try temporary.copy()
    let whole = try Data(contentsOf: files.database)
    let content = try Self.content(of: files)
    var random = SplitMix64(seed: 11)
    var counts: [Ending: Int] = [:]
    var started = 0
    var fields: [String: Int] = [:]
    for _ in 0..<Self.rounds {
      var damaged = whole
      let bit = Int.random(in: 0..<whole.count * 8, using: &random)
      damaged[bit / 8] ^= 1 << (bit % 8)
      let copy = try files.sibling()
      try damaged.write(to: copy.database)
      try Data(contentsOf: files.mark).write(to: copy.mark)
      let plain = try files.sibling()
      try damaged.write(to: plain.database)
      if Self.startsUnchecked(plain) { started += 1 }
      let (ending, differing) = Self.ending(of: copy, content)
      counts[ending, default: 0] += 1
      for field in differing { fields[field, default: 0] += 1 }
      try? FileManager.default.removeItem(at: copy.folder)
      try? FileManager.default.removeItem(at: plain.folder)
    }
    print("bit rot, database: \(Self.text(counts)); unchecked, \(started) of \(Self.rounds) start; unseen: \(fields)")
    // Undetected bits are in times, statuses or texts: never in which keys there are, or in their state.
    #expect(Set(fields.keys).isDisjoint(with: ["key.id", "key.uuid", "key.state", "key.list_id", "tally.count"]))
    // A fifth at most (15 and 19 % in 400 rounds of two versions), and three standard deviations for chance.
    let rounds = Double(Self.rounds)
    #expect(Double(counts[.unseen, default: 0]) < 0.2 * rounds + 3 * (0.2 * 0.8 * rounds).squareRoot())
  }

  @Test func aFlippedBitInTheLog() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(200), as: "a")
    for key in try temporary.due(100) { try temporary.record(key, .registered, status: 201) }
    let files = try temporary.copy()
    let whole = try Data(contentsOf: files.log)
    let content = try Self.content(of: files)
    var random = SplitMix64(seed: 12)
    var counts: [Ending: Int] = [:]
    var started = 0
    for _ in 0..<Self.rounds {
      var damaged = whole
      let bit = Int.random(in: 0..<whole.count * 8, using: &random)
      damaged[bit / 8] ^= 1 << (bit % 8)
      let copy = try files.sibling()
      try copy.restore(from: files, log: damaged)
      let plain = try files.sibling()
      try plain.restore(from: files, log: damaged)
      if Self.startsUnchecked(plain) { started += 1 }
      let (ending, _) = Self.ending(of: copy, content)
      counts[ending, default: 0] += 1
      try? FileManager.default.removeItem(at: copy.folder)
      try? FileManager.default.removeItem(at: plain.folder)
    }
    print("bit rot, log: \(Self.text(counts)); unchecked, \(started) of \(Self.rounds) start")
    // Only the last transaction of the log cannot be distinguished from one that a power cut has torn.
    #expect(counts[.unseen, default: 0] * 20 < Self.rounds)
  }

  @Test func aDatabaseThatWasCutAtAnyPage() throws {
    let temporary = try Self.queue(keys: 500)
    try temporary.queue.close()
    let files = try temporary.copy()
    let whole = try Data(contentsOf: files.database)
    for pages in stride(from: 0, to: whole.count / 4_096, by: max(1, whole.count / 4_096 / 12)) {
      try whole.prefix(pages * 4_096).write(to: files.database)
      #expect(throws: QueueError.self) { try RegistrationQueue(path: files.database.path) }
    }
  }

  // MARK: - What is looked at

  /// Keys in every state, in two lists that share some.
  private static func queue(keys count: Int) throws -> TemporaryQueue {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(count), as: "a")
    try temporary.add(keys(count / 10) + keys(count / 10, from: 1_000_000), as: "b")
    let now = temporary.clock.wall
    let decisions: [KeyResult.Decision] = [
      .registered, .registered, .registered, .failed, .retry(due: now.adding(seconds: 60)),
    ]
    let results = try temporary.due(count / 2).enumerated().map { number, key in
      KeyResult(
        row: key.row, decision: decisions[number % 5], httpStatus: 201, errorTitle: "Not Found",
        errorDetail: "app key not found", sentAt: now, at: now)
    }
    try temporary.queue.record(results)
    return temporary
  }

  /// As it was before there was a check: SQLite opens it, and the counters read.
  private static func startsUnchecked(_ files: QueueFiles) -> Bool {
    do {
      let pool = try DatabasePool(path: files.database.path, configuration: RegistrationQueue.configuration)
      defer { try? pool.close() }
      try Schema.migrator.migrate(pool)
      try pool.read { database in
        _ = try Tally.stored(in: database)
        _ = try ListTotals.counted(in: database)
      }
      return true
    } catch {
      return false
    }
  }

  private static func ending(of files: QueueFiles, _ content: [String: String]) -> (Ending, Set<String>) {
    do {
      let queue = try RegistrationQueue(path: files.database.path)
      do {
        guard case .sound = try QueueCheck(queue).run() else { return (.found, []) }
      } catch {
        return (.found, [])
      }
      try queue.close()
    } catch {
      return (.refused, [])
    }
    do {
      let found = try self.content(of: files)
      guard found != content else { return (.harmless, []) }
      let differing = Set(content.keys).union(found.keys).filter { content[$0] != found[$0] }
      return (.unseen, Set(differing.map { $0.split(separator: " ").first.map(String.init) ?? "" }))
    } catch {
      return (.unseen, ["unreadable"])
    }
  }

  /// All that the queue says, by `table.column row`.
  private static func content(of files: QueueFiles) throws -> [String: String] {
    // A copy, so that reading leaves the files as they are.
    let copy = try files.sibling()
    defer { try? FileManager.default.removeItem(at: copy.folder) }
    for (from, to) in [(files.database, copy.database), (files.log, copy.log)]
    where FileManager.default.fileExists(atPath: from.path) {
      try FileManager.default.copyItem(at: from, to: to)
    }
    let database = try DatabaseQueue(path: copy.database.path)
    return try database.read { database in
      var content: [String: String] = [:]
      for table in ["key", "list", "also_in", "tally", "rejected_list"] {
        let rows = try Row.fetchCursor(database, sql: "SELECT * FROM \(table) NOT INDEXED ORDER BY 1, 2")
        var number = 0
        while let row = try rows.next() {
          number += 1
          for (column, value) in row { content["\(table).\(column) \(number)"] = value.description }
        }
      }
      return content
    }
  }

  private static func text(_ counts: [Ending: Int]) -> String {
    Ending.allCases.map { "\($0.rawValue) \(counts[$0, default: 0])" }.joined(separator: ", ")
  }
}
