import Foundation
import Logging
import Registration
import RegistrationQueue
import Spool
import TestSupport
import Testing

@testable import RegistrationDaemon

/// One claimed list at a time, with a real spool and a real queue.
struct ListReadingTests {
  private let folder: TemporaryFolder
  private let spool: SpoolDirectory
  private let queue: RegistrationQueue
  private let name = ListName(of: FileName("a"))

  init() throws {
    folder = try TemporaryFolder()
    spool = SpoolDirectory(path: folder.path("spool"))
    try spool.prepare()
    queue = try RegistrationQueue(path: folder.path("queue.sqlite"))
  }

  private func write(_ text: String, in place: SpoolDirectory.Subfolder = .reading) throws {
    try Data(text.utf8).write(to: URL(filePath: spool.path(of: place) + "/a"))
  }

  private func append(_ text: String, in place: SpoolDirectory.Subfolder) throws {
    let handle = try FileHandle(forWritingTo: URL(filePath: spool.path(of: place) + "/a"))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  private func reading(maxFileSize: Int = 1 << 20, isInterrupted: @escaping () -> Bool = { false }) -> ListReading {
    ListReading(
      queue: queue, spool: spool, maxFileSize: maxFileSize, log: Logger(label: "test"), isInterrupted: isInterrupted,
      committed: {})
  }

  private func read(
    in place: SpoolDirectory.Subfolder = .reading, isStill: Bool = true, isInterrupted: @escaping () -> Bool = { false }
  ) throws -> ListReading.Ending {
    try reading(isInterrupted: isInterrupted).run(ReadyList(place: place, name: name, isStill: isStill))
  }

  private func lies(in place: SpoolDirectory.Subfolder) throws -> Bool {
    try spool.status(of: name.fileName, in: place) != nil
  }

  private func ids(_ count: Int) -> String {
    (0..<count).map { _ in AppKeyID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)).description + "\n" }
      .joined()
  }

  @Test func aListIsReadAndFiledWithItsReceipt() throws {
    let list = ids(3)
    try write(list + "no id\n" + list)
    guard case .imported(let receipt, nil) = try read() else {
      Issue.record("not imported")
      return
    }
    #expect(receipt.keys == Receipt.Keys(accepted: 3, duplicateInList: 3, invalid: 1))
    #expect(queue.tally[.pending] == 3 && queue.listTotals.total == 1)
    #expect(try lies(in: .done) && !lies(in: .reading))
    #expect(FileManager.default.fileExists(atPath: spool.path(of: .done) + "/a.receipt.json"))
    guard case .unchanged = try read(in: .done) else {
      Issue.record("read again")
      return
    }
  }

  @Test func anInterruptedListGoesOnAfterItsLastCommit() throws {
    try write(ids(5_000))
    guard case .interrupted = try read(isInterrupted: { true }) else {
      Issue.record("not interrupted")
      return
    }
    let before = queue.tally.total
    #expect(before > 0 && before < 5_000)
    #expect(try lies(in: .reading))
    guard case .imported(let receipt, nil) = try read() else {
      Issue.record("not imported")
      return
    }
    // Not one is counted as a repetition of itself.
    #expect(receipt.keys == Receipt.Keys(accepted: 5_000) && queue.tally.total == 5_000)
  }

  @Test func aLastLineWithoutItsEndIsReadOnceTheListIsStill() throws {
    try write(String(ids(2).dropLast()))
    guard case .notStill = try read(isStill: false) else {
      Issue.record("read too early")
      return
    }
    #expect(try queue.tally.total == 0 && lies(in: .reading))
    guard case .imported = try read(isStill: true) else {
      Issue.record("not imported")
      return
    }
    #expect(queue.tally.total == 2)
  }

  @Test func aListWithoutAKeyIsRejectedAndReadWhenItHasOne() throws {
    try write("nothing\n")
    guard case .rejected = try read() else {
      Issue.record("not rejected")
      return
    }
    #expect(try lies(in: .rejected) && spool.isRejected(name) && queue.listTotals.total == 0)
    guard case .unchanged = try read(in: .rejected) else {
      Issue.record("rejected again")
      return
    }
    try append(ids(1), in: .rejected)
    guard case .imported(let receipt, nil) = try read(in: .rejected) else {
      Issue.record("not imported")
      return
    }
    #expect(receipt.keys == Receipt.Keys(accepted: 1, invalid: 1))
    #expect(try lies(in: .done) && !spool.isRejected(name) && queue.rejectedList(named: "a") == nil)
  }

  @Test func whatIsAddedToAFiledListIsReadWhereItLies() throws {
    try write(ids(2))
    _ = try read()
    try append(ids(1), in: .done)
    guard case .imported(let receipt, nil) = try read(in: .done) else {
      Issue.record("not read")
      return
    }
    #expect(receipt.keys == Receipt.Keys(accepted: 3))
    #expect(try queue.tally.total == 3 && lies(in: .done))
  }

  @Test func anotherContentReplacesTheCountsAndLosesNoKey() throws {
    try write(ids(2))
    _ = try read()
    try write(ids(5), in: .done)
    guard case .imported(let receipt, nil) = try read(in: .done) else {
      Issue.record("not read")
      return
    }
    #expect(receipt.keys.accepted == 5 && queue.tally.total == 7)
  }

  @Test func aListThatIsTooLargeIsRejectedAndOneThatHasGrownIsNot() throws {
    let list = ids(2)
    let small = reading(maxFileSize: list.utf8.count)
    try write(list)
    guard case .imported = try small.run(ReadyList(place: .reading, name: name, isStill: true)) else {
      Issue.record("not imported")
      return
    }
    try append(ids(1), in: .done)
    let error = #expect(throws: SpoolError.self) {
      try small.run(ReadyList(place: .done, name: name, isStill: true))
    }
    #expect(error?.kind == .tooLarge)
    #expect(try lies(in: .done) && queue.tally.total == 2)
    let other = ListName(of: FileName("b"))
    try Data(ids(3).utf8).write(to: URL(filePath: spool.path(of: .reading) + "/b"))
    guard case .rejected = try small.run(ReadyList(place: .reading, name: other, isStill: true)) else {
      Issue.record("not rejected")
      return
    }
  }

  @Test func aListThatVanishesEndsWithWhatWasReadOfIt() throws {
    try write(ids(5_000))
    _ = try read(isInterrupted: { true })
    try FileManager.default.removeItem(atPath: spool.path(of: .reading) + "/a")
    guard case .gone = try read() else {
      Issue.record("not gone")
      return
    }
    let count = queue.tally.total
    let unfiled = try queue.unfiledLists()
    try reading().close(try #require(unfiled.first))
    let known = try queue.list(named: "a")
    let list = try #require(known)
    #expect(list.accepted == count && list.importedAt != nil)
    #expect(try queue.unfiledLists().isEmpty && queue.tally.total == count)
    #expect(FileManager.default.fileExists(atPath: spool.path(of: .done) + "/a.receipt.json"))
  }

  /// Which of the two columns holds the keys is no longer clear, and what was read before stays.
  @Test func aListThatGrowsIntoATableSaysHowMuchOfItWasRead() throws {
    func row() -> String { ids(2).split(separator: "\n").joined(separator: ",") + "\n" }
    try write(row())
    guard case .imported(_, nil) = try read() else {
      Issue.record("not imported")
      return
    }
    for rows in 2...3 {
      try append(row(), in: .done)
      guard case .imported(let receipt, let cutShort?) = try read(in: .done) else {
        Issue.record("not imported")
        return
      }
      #expect(receipt.keys == Receipt.Keys(accepted: 2, invalid: 1) && !receipt.isUnterminated)
      #expect(cutShort.description == "read to byte 74 of \(74 * rows)")
      #expect(receipt.invalid.first?.reason.description.contains(cutShort.description) == true)
      #expect(queue.tally[.pending] == 2)
    }
  }

  @Test func aListThatEndsWithALineEndIsNotUnterminatedWhereverReadingStopped() throws {
    let id = ids(1).dropLast()
    try write("{\"data\":[\n{\"id\":\"\(id)\"},\n{\"id\" \"x\"}\n]}\n")
    guard case .imported(let receipt, _?) = try read() else {
      Issue.record("not imported")
      return
    }
    #expect(receipt.keys.accepted == 1 && receipt.keys.invalid == 1 && !receipt.isUnterminated)
  }
}
