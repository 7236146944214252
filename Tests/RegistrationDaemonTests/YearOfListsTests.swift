import Foundation
import Logging
import Registration
import RegistrationQueue
import Spool
import Synchronization
import TestSupport
import Testing

@testable import RegistrationDaemon

/// A list a day for a year, kept for a month: the spool and what is listed stay as small as a month's, and the queue grows
/// by its keys only.
@Suite struct YearOfListsTests {
  private static let keysADay = 100
  private static let kept = 30

  private let folder: TemporaryFolder
  private let spool: SpoolDirectory
  private let queue: RegistrationQueue
  private let day: Day

  /// The queue's clock.
  private final class Day: Sendable {
    private let start = Timestamp.now()
    private let number = Mutex(0)

    var now: Timestamp { start.adding(seconds: Double(number.withLock { $0 }) * 86_400) }

    func begin(_ day: Int) {
      number.withLock { $0 = day }
    }

    func read() -> ClockReading {
      ClockReading(boot: "", sinceBoot: number.withLock { Int64($0) * 86_400_000 }, wall: now)
    }
  }

  init() throws {
    folder = try TemporaryFolder()
    spool = SpoolDirectory(path: folder.path("spool"))
    try spool.prepare()
    let day = Day()
    self.day = day
    queue = try RegistrationQueue(path: folder.path("queue.sqlite"), readClock: { day.read() })
  }

  @Test func theSpoolStaysSmallAndTheQueueGrowsByItsKeys() throws {
    // When each day ended on the clock that the files have: a day takes milliseconds here.
    var ends: [Timestamp] = []
    var bytes: [Int] = []
    for day in 0..<365 {
      self.day.begin(day)
      try list("day-\(day)")
      try registerAll()
      try writeResults()
      ends.append(.now())
      let ages = ends
      try spool.sweep(keep: .seconds(Self.kept * 86_400)) { changed in
        .seconds((day - (ages.firstIndex { $0 >= changed } ?? day)) * 86_400)
      }
      try queue.forget(after: .seconds(Self.kept * 86_400))
      #expect(try queue.lists(limit: 1_000).rows.count == min(day, Self.kept) + 1)
      if day % 7 == 0 {
        try queue.checkpoint()
        bytes.append(queue.sizeOnDisk)
      }
      // A day's files may have the last millisecond of the day before.
      #expect(try files(.done) <= 2 * (Self.kept + 2) && files(.results) <= Self.kept + 2)
    }
    #expect(try files(.done) >= 2 * Self.kept && files(.results) >= Self.kept && files(.reading) == 0)
    #expect(queue.tally[.registered] == 365 * Self.keysADay && queue.listTotals.total == 365)
    #expect(try queue.outcomes(limit: 1).rows.first?.list == "day-0")
    // From the end of the second week to that of the 52nd.
    let perKey = Double(bytes[52] - bytes[2]) / Double(50 * 7 * Self.keysADay)
    print("a year of daily lists: \(bytes[52] / 1_024) KiB, \(Int(perKey)) bytes a key")
    // A row with its indexes, and a hundredth of a list's. The log is empty after each checkpoint.
    #expect(perKey < 200)
    #expect(try QueueCheck(queue).run() == .sound)
  }

  private func files(_ place: SpoolDirectory.Subfolder) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: spool.path(of: place)).count
  }

  private func list(_ text: String) throws {
    let ids = (0..<Self.keysADay).map { _ in
      "\(AppKeyID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)))\n"
    }
    let name = try ListName(text)
    try Data(ids.joined().utf8).write(to: URL(filePath: spool.path(of: .reading) + "/\(name)"))
    let reading = ListReading(
      queue: queue, spool: spool, maxFileSize: 1 << 20, log: Logger(label: "test"), isInterrupted: { false },
      committed: {})
    guard case .imported = try reading.run(ReadyList(place: .reading, name: name, isStill: true)) else {
      Issue.record("\(text) was not imported")
      return
    }
  }

  private func registerAll() throws {
    let keys = try queue.dueKeys(limit: 1_000, except: [], horizon: 1_000)
    let now = Timestamp.now()
    try queue.record(
      keys.map { key in KeyResult(row: key.row, decision: .registered, httpStatus: 201, sentAt: now, at: now) })
  }

  private func writeResults() throws {
    for list in try queue.listsWithoutResults() {
      let file = try ResultsContent(queue: queue, spool: spool, list: list, keptColumns: 0) {}.write()
      #expect(ResultsFile.finish([file]) == [nil])
      try queue.resultsWritten([list], at: day.now)
    }
  }
}
