import Registration
import Testing

@testable import RegistrationQueue

/// Lists that are written to after they were read.
@Suite struct GrowthTests {
  private let temporary: TemporaryQueue
  private var queue: RegistrationQueue { temporary.queue }

  init() throws {
    temporary = try TemporaryQueue()
  }

  private func register() throws {
    for key in try temporary.due() { try temporary.record(key, .registered, status: 201) }
  }

  @Test func aListThatGrowsIsOpenAgainAndItsCountsAreAdded() throws {
    let list = try temporary.add(keys(3), as: "a")
    try queue.noteFiled(list.id, at: .now())
    try register()
    try queue.resultsWritten(try queue.listsWithoutResults(), at: .now())
    let part = try queue.importBatch(
      temporary.batch(keys(1) + keys(2, from: 10)), into: list.id, of: temporary.source("a", sha256: "more"))
    // Until its last batch it counts as being read, so that a kill in between is seen at the next start.
    #expect(part.importedAt == nil && part.filedAt == nil && part.sha256 == "more")
    #expect(queue.listTotals.active == 1)
    let whole = try queue.importBatch(
      temporary.batch([], invalid: 1), into: list.id, of: temporary.source("a", sha256: "more"), isLast: true)
    #expect(whole.importedAt != nil && whole.finishedAt == nil)
    #expect(whole.entries == 7 && whole.accepted == 5 && whole.duplicateInList == 1 && whole.invalid == 1)
    try register()
    #expect(try queue.listsWithoutResults().map(\.name) == ["a"])
    #expect(try temporary.recount().lists["a"] == [KeyState.registered.rawValue: 5])
  }

  @Test func aListThatGrowsByNothingNewGetsNewResultsAllTheSame() throws {
    let list = try temporary.add(keys(2), as: "a")
    try register()
    try queue.resultsWritten(try queue.listsWithoutResults(), at: .now())
    try queue.importBatch(temporary.batch(keys(1)), into: list.id, of: temporary.source("a"), isLast: true)
    #expect(try queue.listsWithoutResults().map(\.name) == ["a"])
  }

  @Test func aListThatIsReadAgainHasTheCountsOfThatReading() throws {
    try temporary.add(keys(2, from: 100), as: "other")
    let list = try temporary.add(keys(4) + keys(1) + keys(1, from: 100), as: "a")
    #expect(list.accepted == 4 && list.duplicateInList == 1 && list.alreadyKnown == 1)
    var rereading = Rereading(of: list.id)
    // Its own keys, in another order and across batches; one of the other list's twice; one that is new.
    try queue.importBatch(temporary.batch([keys(4)[3]] + keys(2, from: 100)), of: &rereading)
    try queue.importBatch(
      temporary.batch(keys(4) + keys(1, from: 100) + keys(1, from: 50), invalid: 2), of: &rereading)
    #expect(try queue.list(named: "a")?.accepted == 4)
    let record = try queue.finish(rereading, of: temporary.source("a", sha256: "new"))
    #expect(record.accepted == 5 && record.alreadyKnown == 2 && record.duplicateInList == 2 && record.invalid == 2)
    #expect(record.entries == 11 && record.sha256 == "new")
    #expect(queue.tally.total == 7)
    #expect(try temporary.recount().lists["a"] == [KeyState.pending.rawValue: 7])
  }

  @Test func aForcedListThatIsReadAgainDoesNotRegisterItsKeysOnceMore() throws {
    try temporary.add(keys(2), as: "first")
    try register()
    let list = try temporary.add(keys(2), as: "forced", isForced: true)
    #expect(list.requeued == 2)
    try register()
    var rereading = Rereading(of: list.id)
    try queue.importBatch(temporary.batch(keys(2)), of: &rereading)
    _ = try queue.finish(rereading, of: temporary.source("forced"))
    #expect(try temporary.due().isEmpty)
  }

  @Test func bytesThatAnotherListBroughtAreToldHoweverTheyCame() throws {
    try temporary.add(keys(1), as: "a")
    #expect(try temporary.add(keys(1, from: 5), as: "b").duplicateOf == nil)
    let list = try #require(try queue.list(named: "b"))
    let grown = try queue.importBatch(
      temporary.batch(keys(1)), into: list.id, of: temporary.source("b", sha256: "a"), isLast: true)
    #expect(grown.duplicateOf == "a")
  }

  @Test func aRejectedListIsKnownUntilItIsForgotten() throws {
    func rejected(_ name: String, bytes: Int64) -> RejectedList {
      RejectedList(name: name, bytes: bytes, modified: 7, what: "no key", line: 3, hint: "mend it", at: .now())
    }
    for (name, bytes) in [("b", 1), ("a", 2), ("a", 3)] { try queue.noteRejected(rejected(name, bytes: Int64(bytes))) }
    #expect(try queue.rejectedLists(limit: 10).map(\.name) == ["a", "b"])
    #expect(try queue.rejectedLists(after: "a", limit: 10).map(\.name) == ["b"])
    #expect(try queue.rejectedList(named: "a")?.bytes == 3)
    #expect(try !queue.hasList(named: "b"), "it may come again")
    #expect(queue.listTotals.rejected == 2)
    try queue.forgetRejected(["a", "never"])
    #expect(queue.listTotals.rejected == 1)
    try temporary.reopen()
    #expect(queue.listTotals.rejected == 1)
  }

  @Test(arguments: 0..<6) func aSetOfRowsIsOneOfARandomSequence(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var rows = RowSet()
    var model: Set<Int64> = []
    for _ in 0..<5_000 {
      let row = Int64.random(in: 1...(seed % 2 == 0 ? 900 : .max), using: &random)
      #expect(rows.insert(row) == model.insert(row).inserted)
    }
  }
}
