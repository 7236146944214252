import Foundation
import GRDB
import Registration
import Testing

@testable import RegistrationQueue

@Suite struct RegistrationQueueTests {
  @Test func everyCommitIsFlushedToDisk() throws {
    let temporary = try TemporaryQueue()
    let (synchronous, mode) = try temporary.queue.pool.writeWithoutTransaction { database in
      (
        try Int.fetchOne(database, sql: "PRAGMA synchronous"), try String.fetchOne(database, sql: "PRAGMA journal_mode")
      )
    }
    #expect(synchronous == 2)
    #expect(mode == "wal")
  }

  @Test func keysComeInTheOrderOfListNameAndLine() throws {
    let temporary = try TemporaryQueue()
    let second = keys(5, from: 100)
    let first = Array(keys(5).reversed())
    try temporary.add(second, as: "b.txt")
    try temporary.add(first, as: "B.txt")
    #expect(try temporary.due().map(\.id) == first + second)
  }

  @Test func keysInHandArePassedOver() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(4), as: "a")
    let all = try temporary.due()
    #expect(try temporary.due(except: [all[0].row, all[2].row]).map(\.id) == [all[1].id, all[3].id])
    #expect(try temporary.due(2).count == 2)
  }

  @Test func aSampleHasKeysOfEveryListTheLastListFirst() throws {
    let temporary = try TemporaryQueue()
    let lists = [keys(60), keys(10, from: 100), keys(1, from: 200)]
    for (name, keys) in zip(["a", "b", "c"], lists) { try temporary.add(keys, as: name) }
    let all = try temporary.due().map(\.row)
    let sample = try temporary.queue.sampleKeys(limit: 30, except: [all[61]])
    #expect(sample[0].id == lists[2][0] && lists[1].contains(sample[1].id) && lists[0].contains(sample[2].id))
    #expect(sample.count { lists[1].contains($0.id) } == 9 && sample.count { lists[0].contains($0.id) } == 10)
    #expect(Set(sample.map(\.row)).count == 20 && !sample.map(\.row).contains(all[61]))
    // Keys from the middle of a list are among them: half of a list may be refused.
    #expect(sample.contains { key in lists[0].firstIndex(of: key.id).map { $0 >= 10 } ?? false })
    #expect(try temporary.queue.sampleKeys(limit: 2, except: []).count == 2)
    #expect(try temporary.queue.sampleKeys(limit: 30, except: Set(all)).isEmpty)
  }

  @Test func aKeyInTwoListsIsOneKeyInTheProgressOfBoth() throws {
    let temporary = try TemporaryQueue()
    let shared = keys(3)
    try temporary.add(shared, as: "a")
    let second = try temporary.add(shared + keys(1, from: 50), as: "b")
    #expect(second.accepted == 1 && second.alreadyKnown == 3 && second.duplicateInList == 0)
    #expect(temporary.queue.tally.total == 4)
    for key in try temporary.due() { try temporary.record(key, .registered, status: 201) }
    #expect(try temporary.queue.list(named: "a")?.keys[.registered] == 3)
    #expect(try temporary.queue.list(named: "b")?.keys[.registered] == 4)
    #expect(try temporary.queue.list(named: "a")?.finishedAt != nil)
    #expect(try temporary.queue.listsWithoutResults().map(\.name) == ["a", "b"])
    let outcomes = try temporary.queue.outcomes(list: temporary.queue.list(named: "b"), limit: 10).rows
    #expect(outcomes.map(\.id) == shared + keys(1, from: 50))
    #expect(Set(outcomes.map(\.list)) == ["b"])
  }

  @Test func duplicatesAreCountedWithinABatchAndAcrossBatches() throws {
    let temporary = try TemporaryQueue()
    let list = try temporary.begin("a")
    try temporary.queue.importBatch(temporary.batch(keys(3) + keys(1)), into: list.id, of: temporary.source("a"))
    let record = try temporary.queue.importBatch(
      temporary.batch(keys(4), invalid: 2), into: list.id, of: temporary.source("a"))
    #expect(record.accepted == 4 && record.duplicateInList == 4 && record.invalid == 2)
    #expect(record.entries == 10)
    #expect(try temporary.due().map(\.id) == keys(4))
  }

  @Test func listsThatAreImportedTogetherAreAllThereOrNone() throws {
    let temporary = try TemporaryQueue()
    let queue = temporary.queue
    let lists = try queue.importWhole([
      (temporary.source("a"), temporary.batch(keys(2))), (temporary.source("b"), temporary.batch(keys(3), invalid: 1)),
    ])
    #expect(lists.map(\.name) == ["a", "b"] && lists.allSatisfy { $0.importedAt != nil && $0.filedAt == nil })
    #expect(lists.map(\.accepted) == [2, 1] && lists.map(\.alreadyKnown) == [0, 2] && lists.map(\.invalid) == [0, 1])
    #expect(throws: QueueError.self) {
      try queue.importWhole([
        (temporary.source("c"), temporary.batch(keys(1, from: 9))), (temporary.source("a"), temporary.batch([])),
      ])
    }
    #expect(queue.tally.total == 3 && queue.listTotals.total == 2)
    #expect(try temporary.recount().tally == [0: 3])
  }

  @Test func anInterruptedImportIsFoundAgainWithItsPlace() throws {
    let temporary = try TemporaryQueue()
    let list = try temporary.begin("a")
    try temporary.queue.importBatch(temporary.batch(keys(3)), into: list.id, of: temporary.source("a"))
    try temporary.reopen()
    let found = try #require(try temporary.queue.unfiledLists().first)
    #expect(found.id == list.id && found.entries == 3 && found.importedAt == nil)
    #expect(temporary.queue.tally[.pending] == 3)
    #expect(temporary.queue.listTotals.active == 1)
    _ = try temporary.queue.finishImport(found.id)
    try temporary.queue.noteFiled(found.id, at: .now())
    #expect(try temporary.queue.unfiledLists().isEmpty)
  }

  @Test func aFailedKeyThatIsListedAgainIsPendingAgain() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(2), as: "a")
    let due = try temporary.due()
    try temporary.record(due[0], .failed, status: 404, title: "Not Found")
    try temporary.record(due[1], .registered, status: 201)
    let again = try temporary.add(keys(2), as: "again")
    #expect(again.requeued == 1 && again.alreadyKnown == 2)
    let retried = try temporary.due()
    #expect(retried.map(\.id) == [due[0].id])
    #expect(retried.first?.attempts == 0)
    #expect(try temporary.queue.list(named: "a")?.finishedAt == nil)
  }

  @Test func onlyAForcedListRegistersAgain() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(2), as: "a")
    for key in try temporary.due() { try temporary.record(key, .registered, status: 201) }
    try temporary.add(keys(2), as: "b")
    #expect(try temporary.due().isEmpty)
    try temporary.add(keys(2), as: "c", isForced: true)
    #expect(try temporary.due().count == 2)
  }

  @Test func aKeyWaitsForItsNextAttempt() throws {
    let temporary = try TemporaryQueue()
    let clock = temporary.clock
    try temporary.add(keys(1), as: "a")
    let key = try #require(try temporary.due().first)
    try temporary.record(key, .retry(due: clock.wall.adding(seconds: 60)), status: 500, title: "Oops")
    #expect(temporary.queue.tally[.retrying] == 1)
    #expect(try temporary.due().isEmpty)
    #expect(try temporary.queue.secondsUntilDue() == 60)
    let lastDue = try #require(temporary.queue.tally.lastDue)
    #expect(lastDue.seconds(since: temporary.queue.sureTime) == 60)
    #expect(try temporary.queue.lastDueByList() == [1: lastDue])
    #expect(try temporary.queue.key(key.id)?.dueAt == clock.wall.adding(seconds: 60))
    clock.advance(seconds: 60)
    #expect(try temporary.due().first?.attempts == 0)
    try temporary.record(key, .charge)
    #expect(try temporary.due().first?.attempts == 1)
    try temporary.record(key, .postpone(due: clock.wall.adding(seconds: 60)))
    #expect(try temporary.due().isEmpty)
    try temporary.record(key, .spare)
    #expect(try temporary.due().first?.attempts == 1)
  }

  /// Forward or back, the wait stays the same: not at once, not all together, not days later.
  @Test(arguments: [3_456_000.0, 3_600.0, -3_600.0, -3_456_000.0]) func noWallClockChangesAWait(jump: Double) throws {
    let temporary = try TemporaryQueue()
    let clock = temporary.clock
    try temporary.add(keys(1), as: "a")
    let key = try #require(try temporary.due().first)
    try temporary.record(key, .retry(due: clock.wall.adding(seconds: 900)), status: 500)
    clock.set(by: jump)
    #expect(try temporary.due().isEmpty)
    clock.advance(seconds: 300)
    try temporary.reopen()
    clock.set(by: -jump / 2)
    clock.advance(seconds: 599)
    #expect(try temporary.due().isEmpty)
    #expect(try temporary.queue.secondsUntilDue() == 1)
    #expect(try temporary.queue.key(key.id)?.dueAt == clock.wall.adding(seconds: 1))
    clock.advance(seconds: 1)
    #expect(try temporary.due().count == 1)
  }

  @Test func aBootEndsAWaitThatIsOverAndNoOther() throws {
    let temporary = try TemporaryQueue()
    let clock = temporary.clock
    try temporary.add(keys(1), as: "a")
    let key = try #require(try temporary.due().first)
    try temporary.record(key, .retry(due: clock.wall.adding(seconds: 900)), status: 500)
    try temporary.queue.close()
    // A machine that has lost its clock.
    clock.boot("second", after: -10 * 365 * 86_400)
    try temporary.reopen(closing: false)
    #expect(try temporary.due().isEmpty)
    try temporary.queue.close()
    clock.boot("third", after: 1_000)
    try temporary.reopen(closing: false)
    #expect(try temporary.due().count == 1)
  }

  @Test func timesAreInOrderWhateverTheWallClockDoes() throws {
    let temporary = try TemporaryQueue()
    let clock = temporary.clock
    var random = SplitMix64(seed: 3)
    try temporary.add(keys(40), as: "a")
    while case let due = try temporary.due(), !due.isEmpty {
      for key in due {
        let sent = clock.wall
        clock.set(by: Double.random(in: -90_000...90_000, using: &random))
        let decisions: [KeyResult.Decision] = [.registered, .failed, .retry(due: clock.wall)]
        try temporary.record(key, decisions.randomElement(using: &random) ?? .registered, sentAt: sent)
      }
    }
    let list = try #require(try temporary.queue.list(named: "a"))
    let finished = try #require(list.finishedAt)
    for outcome in try temporary.queue.outcomes(limit: 100).rows {
      let (first, last) = (try #require(outcome.firstAttemptAt), try #require(outcome.finishedAt))
      #expect(first <= last && last <= finished)
    }
  }

  @Test func manyKeysArePutBackAndCancelledInSteps() throws {
    let temporary = try TemporaryQueue()
    let list = try temporary.add(keys(12_000), as: "a")
    let other = try temporary.add(keys(1, from: 20_000), as: "b")
    let results = try temporary.due(20_000).map { key in
      KeyResult(row: key.row, decision: .failed, httpStatus: 404, sentAt: .now(), at: .now())
    }
    try temporary.queue.record(results)
    var steps = 0
    #expect(try temporary.queue.retry(RetrySelection(list: list.id)) { steps += 1 } == 12_000)
    #expect(steps == 3 && temporary.queue.tally[.pending] == 12_000 && temporary.queue.tally[.failed] == 1)
    steps = 0
    #expect(try temporary.queue.cancel(list.id, at: .now()) { steps += 1 } == 12_000)
    #expect(steps == 3 && temporary.queue.tally[.cancelled] == 12_000)
    #expect(try temporary.queue.cancel(other.id, at: .now()) == 0)
  }

  @Test func aRecentlyRegisteredKeyIsKnownAtAStart() throws {
    let temporary = try TemporaryQueue()
    let start = Timestamp.now().adding(seconds: -1)
    let ours = try temporary.queue.registrar(tag: [1])
    let others = try temporary.queue.registrar(tag: [2])
    #expect(try temporary.queue.registeredKey(within: 60, by: ours) == nil)
    try temporary.add(keys(5), as: "a")
    try temporary.add(keys(5, from: 10), as: "b")
    #expect(try temporary.queue.registeredKey(within: 60, by: ours) == nil)
    let first = try #require(try temporary.due().first)
    try temporary.queue.record([
      KeyResult(row: first.row, decision: .registered, httpStatus: 201, registrar: ours, sentAt: .now(), at: .now())
    ])
    try temporary.reopen()
    #expect(try temporary.queue.registrar(tag: [1]) == ours && ours != others)
    let found = try #require(try temporary.queue.registeredKey(within: 60, by: ours))
    #expect(found.key.row == first.row && found.key.id == first.id && found.key.state == .registered)
    #expect(found.at > start)
    // However the wall clock is set, it gets older, not younger.
    temporary.clock.set(by: -86_400 * 30)
    temporary.clock.advance(seconds: 50)
    let later = try #require(try temporary.queue.registeredKey(within: 60, by: ours))
    #expect((49...60).contains(temporary.clock.wall.seconds(since: later.at)))
    temporary.clock.advance(seconds: 20)
    #expect(try temporary.queue.registeredKey(within: 60, by: ours) == nil)
    #expect(try temporary.queue.registeredKey(within: 60, by: others) == nil)
  }

  @Test func aDeniedKeyIsKnownAsSuchUntilItsOutcome() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(1), as: "a")
    let key = try #require(try temporary.due().first)
    #expect(!key.isDenied)
    let due = Timestamp.now().adding(seconds: -1)
    for decision in [KeyResult.Decision.retry(due: due), .lookAgain(due: due), .retry(due: due), .postpone(due: due)] {
      try temporary.record(key, decision, status: 404)
    }
    try temporary.reopen()
    let again = try #require(try temporary.due().first)
    #expect(again.isDenied && again.attempts == 1)
    try temporary.record(again, .failed, status: 404)
    #expect(try temporary.queue.retry(RetrySelection()) == 1)
    #expect(try #require(try temporary.due().first).isDenied == false)
  }

  @Test func retryTakesTheChosenKeysOnly() throws {
    let temporary = try TemporaryQueue()
    let a = try temporary.add(keys(3), as: "a")
    try temporary.add(keys(2, from: 10), as: "b")
    for (number, key) in try temporary.due().enumerated() {
      try temporary.record(key, .failed, status: 404, title: number == 0 ? "Gone FISHING" : "Not Found")
    }
    #expect(try temporary.queue.retry(RetrySelection(error: "fishing")) == 1)
    #expect(try temporary.queue.retry(RetrySelection(list: a.id)) == 2)
    #expect(try temporary.queue.retry(RetrySelection(keys: keys(8, from: 2))) == 0)
    #expect(try temporary.queue.retry(RetrySelection(keys: keys(1, from: 10))) == 1)
    #expect(try temporary.queue.retry(RetrySelection(error: "404")) == 1)
    #expect(temporary.queue.tally[.pending] == 5)
  }

  @Test func outcomesComeInPagesWithoutGapOrRepetition() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(25), as: "a")
    try temporary.add(keys(10, from: 20), as: "b")
    var seen: [AppKeyID] = []
    var cursor: Int64? = 0
    while let from = cursor {
      let page = try temporary.queue.outcomes(after: from, limit: 7)
      seen += page.rows.map(\.id)
      cursor = page.next
    }
    #expect(seen == keys(30))
  }

  @Test func whatIsRememberedOutlivesARestart() throws {
    let temporary = try TemporaryQueue()
    try temporary.queue.remember(["a": 1], named: "thing")
    try temporary.reopen()
    #expect(try temporary.queue.recall([String: Int].self, named: "thing") == ["a": 1])
    try temporary.queue.remember([String: Int]?.none, named: "thing")
    #expect(try temporary.queue.recall([String: Int].self, named: "thing") == nil)
  }

  @Test func aFileThatIsNoQueueIsRefusedAsCorrupt() throws {
    let temporary = try TemporaryQueue()
    let path = temporary.folder.appending(path: "other.sqlite").path
    try Data(repeating: 0x41, count: 8_192).write(to: URL(filePath: path))
    #expect { try RegistrationQueue(path: path) } throws: { ($0 as? QueueError)?.kind == .corrupt }
  }

  /// Outcomes would be recorded in a file that is gone once the daemon ends.
  @Test(arguments: ["queue.sqlite", "queue.sqlite-wal"])
  func aQueueWhoseFilesAreGoneRecordsNothingUntilTheyAreBack(file: String) throws {
    let temporary = try TemporaryQueue()
    let path = temporary.folder.path + "/" + file
    let aside = path + ".aside"
    try FileManager.default.moveItem(atPath: path, toPath: aside)
    #expect { try temporary.queue.remember(1, named: "thing") } throws: { error in
      (error as? QueueError)?.kind == .disk && "\(error)".contains("\(file) was removed or replaced")
    }
    #expect { try temporary.queue.dueKeys(limit: 1, except: [], horizon: 1) } throws: { error in
      (error as? QueueError)?.kind == .disk
    }
    #expect(FileManager.default.createFile(atPath: path, contents: nil))
    #expect(throws: QueueError.self) { try temporary.queue.remember(1, named: "thing") }
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.moveItem(atPath: aside, toPath: path)
    try temporary.queue.remember(1, named: "thing")
    #expect(try temporary.queue.recall(Int.self, named: "thing") == 1)
  }

  @Test func aSecondOwnerOfTheStateDirectoryIsToldWhoHasIt() throws {
    let temporary = try TemporaryQueue()
    let first = try StateDirectory(path: temporary.folder.path)
    #expect(first.queuePath.hasPrefix(temporary.folder.path))
    #expect { try StateDirectory(path: temporary.folder.path) } throws: { error in
      "\(error)".contains("pid \(ProcessInfo.processInfo.processIdentifier)")
    }
    // Somebody may take the file with the process id for a leftover.
    try FileManager.default.removeItem(atPath: temporary.folder.path + "/lock")
    #expect { try StateDirectory(path: temporary.folder.path) } throws: { error in
      if case .owned? = error as? StateDirectoryError { true } else { false }
    }
    withExtendedLifetime(first) {}
  }
}
