import Foundation
import GRDB
import Registration
import Synchronization

/// Room on the disk for the write-ahead log, and what is done when there is little.
///
/// A commit first lands in the log; a checkpoint copies it into the database, which needs room there. A log that has taken
/// the last free bytes could never be written back, and nothing could be committed any more. So the less room there is,
/// the sooner the log is written back.
final class LogRoom: Sendable {
  /// SQLite's own choice, in pages.
  static let usualLog = 1_000
  /// With fewer pages, nearly every commit would be followed by a checkpoint.
  static let smallestLog = 50
  /// The log may take this part of the free space before it is written back.
  private static let share = 16
  /// Bytes of free space below which transactions should be small.
  static let little = 64 << 20

  /// SQLite's own choice for a new database, in bytes.
  private static let pageSize = 4_096

  private let path: String
  /// How many pages the log may have, as SQLite was last told.
  private let limit = Mutex(LogRoom.usualLog)

  init(path: String) {
    self.path = path
  }

  /// Bytes that the daemon can still write; nil when that is not known, or the file system has no end.
  var free: Int? {
    var status = statvfs()
    guard statvfs(path, &status) == 0, status.f_blocks > 0 else { return nil }
    let blocks = geteuid() == 0 ? status.f_bfree : status.f_bavail
    let (bytes, overflows) = UInt64(blocks).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflows ? nil : Int(clamping: bytes)
  }

  /// Pages after which the log is written back. With 4,096 bytes a page: 48 → 50 for 3 MB, 256 for 16 MiB, 1,000 from
  /// 62.5 MiB on.
  static func pages(free: Int?, pageSize: Int) -> Int {
    guard let free else { return usualLog }
    return min(usualLog, max(smallestLog, free / share / pageSize))
  }

  /// Tells SQLite how long the log may get, in the writer's turn.
  fileprivate func limitLog(of database: Database) throws {
    let pages = Self.pages(free: free, pageSize: Self.pageSize)
    guard limit.withLock({ $0 }) != pages else { return }
    try database.execute(sql: "PRAGMA wal_autocheckpoint = \(pages)")
    limit.withLock { $0 = pages }
  }

  /// After a transaction that found no space, in the writer's turn: frees what it had taken, and writes back the log. A
  /// failure changes nothing; the next transaction tries again.
  fileprivate func regain(in database: Database) {
    try? cutLog()
    _ = try? database.checkpoint(.truncate)
  }

  /// Cuts off what a failed transaction has left behind the last commit: it holds the space that the checkpoint needs.
  func cutLog() throws(SystemFault) {
    let log = path + "-wal"
    let descriptor = try FileIO.open(log, O_RDONLY)
    defer { close(descriptor) }
    let content = try WriteAheadLog(descriptor: descriptor, databasePageSize: Self.pageSize)
    guard let end = content.committedBytes, content.stranded == nil else { return }
    var status = stat()
    guard fstat(descriptor, &status) == 0, Int(status.st_size) > end else { return }
    if truncate(log, off_t(end)) != 0 { throw SystemFault(code: errno) }
  }
}

extension DatabasePool {
  /// The writer's turn, for one transaction.
  func write<Value>(within room: LogRoom, _ body: (Database) throws -> Value) throws -> Value {
    try writeWithoutTransaction { database in
      try room.limitLog(of: database)
      do {
        return try body(database)
      } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
        room.regain(in: database)
        throw error
      }
    }
  }
}

extension RegistrationQueue {
  /// Bytes of the database and its write-ahead log on disk.
  package var sizeOnDisk: Int {
    ["", "-wal"].reduce(0) { total, suffix in
      let attributes = try? FileManager.default.attributesOfItem(atPath: pool.path + suffix)
      // A missing file has no size; the number is for a gauge.
      return total + (attributes?[.size] as? Int ?? 0)
    }
  }

  /// There is so little free space that large transactions might not fit.
  package var isSpaceShort: Bool { (room.free ?? .max) < LogRoom.little }

  /// Says what there is, so that the operator can tell what is missing.
  func explained(_ error: QueueError) -> QueueError {
    guard error.isOutOfSpace else { return error }
    let size = Self.mebibytes(sizeOnDisk)
    let free = room.free.map { ", and \(Self.mebibytes($0)) are free" } ?? ""
    return QueueError(
      kind: error.kind, description: "\(error.description); the queue has \(size)\(free)", isOutOfSpace: true,
      hint: "make room in the file system of the state directory; no recorded outcome is lost")
  }

  private static func mebibytes(_ bytes: Int) -> String { "\((Double(bytes) / 1_048_576 * 10).rounded() / 10) MiB" }
}
