import Foundation
import Logging
import Registration
import RegistrationQueue
import Spool
import Synchronization
import TestSupport
import Testing

@testable import RegistrationDaemon

/// Short lists that are read together, with a real spool and a real queue.
struct ListGroupTests {
  private let folder: TemporaryFolder
  private let spool: SpoolDirectory
  private let queue: RegistrationQueue
  private let transactions = Counter()

  private final class Counter: Sendable {
    let count = Mutex(0)
  }

  init() throws {
    folder = try TemporaryFolder()
    spool = SpoolDirectory(path: folder.path("spool"))
    try spool.prepare()
    // Every transaction reads the clock once.
    queue = try RegistrationQueue(
      path: folder.path("queue.sqlite"),
      readClock: { [transactions] in
        transactions.count.withLock { $0 += 1 }
        return .now()
      })
  }

  private func ids(_ count: Int) -> String {
    (0..<count).map { _ in AppKeyID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)).description + "\n" }
      .joined()
  }

  private func write(_ name: String, _ text: String, isStill: Bool = false) throws -> ReadyList {
    try Data(text.utf8).write(to: URL(filePath: spool.path(of: .reading) + "/" + name))
    return ReadyList(place: .reading, name: try ListName(name), isStill: isStill)
  }

  private var reading: ListReading {
    ListReading(
      queue: queue, spool: spool, maxFileSize: 1 << 20, log: Logger(label: "test"), isInterrupted: { false },
      committed: {})
  }

  private func isImported(_ ending: ListReading.Ending?) -> Bool {
    if case .imported = ending { true } else { false }
  }

  private func isFiled(_ name: String) throws -> Bool {
    let name = try ListName(name)
    return try spool.status(of: name.fileName, in: .done) != nil
      && spool.status(of: name.receiptFileName, in: .done) != nil
      && spool.status(of: name.fileName, in: .reading) == nil && queue.list(named: name.text)?.filedAt != nil
  }

  @Test func listsReadTogetherAreFiledEachWithItsReceipt() throws {
    let shared = ids(1)
    let lists = [
      try write("a", shared + ids(2)), try write("b", "no id\n" + shared + shared), try write("c", ids(1)),
    ]
    transactions.count.withLock { $0 = 0 }
    let endings = ListGroup(reading: reading).run(lists)
    #expect(transactions.count.withLock { $0 } == 2)
    let receipts = endings.compactMap { if case .imported(let receipt, nil) = $0 { receipt } else { nil } }
    #expect(receipts.map(\.list) == ["a", "b", "c"])
    #expect(
      receipts.map(\.keys) == [
        Receipt.Keys(accepted: 3), Receipt.Keys(alreadyKnown: 1, duplicateInList: 1, invalid: 1),
        Receipt.Keys(accepted: 1),
      ])
    #expect(receipts[1].invalid.map(\.line) == [1])
    for name in ["a", "b", "c"] { #expect(try isFiled(name)) }
    #expect(queue.tally[.pending] == 4 && queue.listTotals.total == 3)
    let first = try ListName("a")
    #expect(spool.receipted(first)?.sha256 == receipts[0].sha256)
  }

  @Test func aListWithTheBytesOfOneBeforeItInTheGroupIsCalledItsDuplicate() throws {
    let text = ids(2)
    let endings = ListGroup(reading: reading).run([try write("a", text), try write("b", text)])
    guard case .imported(let receipt, nil) = endings.last else {
      Issue.record("not imported")
      return
    }
    #expect(receipt.duplicateOf == "a" && receipt.keys == Receipt.Keys(alreadyKnown: 2))
  }

  /// What ends a group: the lists before it are read together, and it is left to a reading of its own.
  @Test(arguments: ["long", "keyless", "unended", "missing", "large", "known"])
  func aSpecialListEndsTheGroup(kind: String) throws {
    let text =
      switch kind {
      case "long": ids(1_700)
      case "keyless": "nothing\n"
      case "unended": String(ids(1).dropLast())
      case "large": String(repeating: " \n", count: 40_000) + ids(1)
      default: ids(1)
      }
    var lists = [try write("a", ids(1)), try write("b", ids(1)), try write("c", text), try write("d", ids(1))]
    if kind == "missing" { try FileManager.default.removeItem(atPath: spool.path(of: .reading) + "/c") }
    if kind == "long" { lists[2] = try write("c", text + String(repeating: "\n", count: 2_000) + ids(400)) }
    if kind == "known" {
      _ = try reading.run(lists[2])
      lists[2] = try write("c", ids(2))
    }
    let endings = ListGroup(reading: reading).run(lists)
    #expect(endings.map(isImported) == [true, true])
    #expect(try isFiled("a") && isFiled("b") && queue.list(named: "d") == nil)
  }

  @Test func aSingleListIsNoGroup() throws {
    let lists = [try write("a", ids(1)), try write("b", "nothing\n")]
    #expect(ListGroup(reading: reading).run(lists).isEmpty)
    #expect(queue.listTotals.total == 0)
  }

  @Test func aListWhosePlaceIsTakenIsLeftAndTheOthersAreFiled() throws {
    let lists = [try write("a", ids(1)), try write("b", ids(1)), try write("c", ids(1))]
    try Data("mine".utf8).write(to: URL(filePath: spool.path(of: .done) + "/b"))
    let endings = ListGroup(reading: reading).run(lists)
    #expect(endings.map(isImported) == [true, false, true])
    #expect(try isFiled("a") && isFiled("c"))
    #expect(throws: SpoolError.self) { try reading.run(lists[1]) }
    try FileManager.default.removeItem(atPath: spool.path(of: .done) + "/b")
    #expect(isImported(try reading.run(lists[1])))
    #expect(try isFiled("b") && queue.tally.total == 3)
  }

  @Test func afterAFailureEveryListCanBeReadAlone() throws {
    let lists = [try write("a", ids(2)), try write("b", ids(3))]
    let done = spool.path(of: .done)
    try FileManager.default.removeItem(atPath: done)
    try Data().write(to: URL(filePath: done))
    #expect(ListGroup(reading: reading).run(lists).map(isImported) == [false, false])
    try FileManager.default.removeItem(atPath: done)
    try spool.prepare()
    for (list, count) in zip(lists, [2, 3]) {
      guard case .imported(let receipt, nil) = try reading.run(list) else {
        Issue.record("not imported")
        return
      }
      // Committed by the group: none is counted as a repetition of itself.
      #expect(receipt.keys == Receipt.Keys(accepted: count))
    }
    #expect(try isFiled("a") && isFiled("b") && queue.tally.total == 5)
  }
}
