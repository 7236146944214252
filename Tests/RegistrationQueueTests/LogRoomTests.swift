import Foundation
import GRDB
import Registration
import Testing

@testable import RegistrationQueue

/// What the queue does when there is little space for its log.
@Suite struct LogRoomTests {
  private let temporary: TemporaryQueue
  private var queue: RegistrationQueue { temporary.queue }

  init() throws {
    temporary = try TemporaryQueue()
  }

  private var log: String { temporary.folder.appending(path: "queue.sqlite-wal").path }

  private func logSize() throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int)
  }

  private func setPages(_ pages: String) throws {
    try queue.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(pages)") }
  }

  @Test(
    arguments: [
      (nil, 1_000), (0, 50), (3_000_000, 50), (16 << 20, 256), (62 << 20, 992), (1 << 30, 1_000),
    ] as [(Int?, Int)])
  func theLessRoomThereIsTheSoonerTheLogIsWrittenBack(free: Int?, pages: Int) {
    #expect(LogRoom.pages(free: free, pageSize: 4_096) == pages)
  }

  @Test func aDiskThatIsFullIsNamedWithItsNumbersAndCostsNothing() throws {
    try temporary.add(keys(10), as: "a")
    let pages = try queue.pool.read { try Int.fetchOne($0, sql: "PRAGMA page_count") }
    try setPages("\(try #require(pages) + 5)")
    let error = #expect(throws: QueueError.self) { try temporary.add(keys(20_000, from: 100), as: "b") }
    #expect(error?.isOutOfSpace == true && error?.kind == .disk)
    #expect(error?.description.contains("; the queue has 0.") == true, "\(String(describing: error))")
    #expect(error?.description.contains("MiB are free") == true)
    // The log was written back, so that it holds no space.
    #expect(try logSize() == 0)
    #expect(queue.tally.total == 10)
    try setPages("1000000")
    try temporary.add(keys(20_000, from: 100), as: "c")
    #expect(queue.tally.total == 20_010)
  }

  /// The last commit stays, and what a transaction without a commit has written behind it goes.
  @Test func onlyCommitsStayInTheLog() throws {
    try temporary.add(keys(10), as: "a")
    let committed = try logSize()
    let file = try FileHandle(forWritingTo: URL(filePath: log))
    try file.seekToEnd()
    try file.write(contentsOf: Data(repeating: 7, count: 100_000))
    try file.close()
    #expect(try logSize() > committed)
    try queue.room.cutLog()
    #expect(try logSize() == committed)
    try temporary.add(keys(10, from: 100), as: "b")
    try temporary.reopen(closing: false)
    #expect(queue.tally.total == 20)
  }
}
