import ControlAPI
import Foundation
import Logging
import Registration
import RegistrationQueue
import Spool
import Synchronization
import TestSupport
import Testing

@testable import RegistrationDaemon

/// Several lists and their clients, with a real spool and a real queue.
struct ImporterTests {
  private let folder: TemporaryFolder
  private let spool: SpoolDirectory
  private let queue: RegistrationQueue

  init() throws {
    folder = try TemporaryFolder()
    spool = SpoolDirectory(path: folder.path("spool"))
    try spool.prepare()
    queue = try RegistrationQueue(path: folder.path("queue.sqlite"))
  }

  private func importer(keysChanged: @escaping @Sendable () -> Void = {}) -> Importer {
    let watcher = SpoolWatcher(spool: spool, settle: .seconds(2)) { @Sendable _ in false }
    return Importer(
      queue: queue, spool: spool, watcher: watcher, maxFileSize: 1 << 20, log: Logger(label: "test"),
      keysChanged: keysChanged, broken: { @Sendable error in Issue.record(error) })
  }

  private func write(_ name: String, keys: Int) throws -> ReadyList {
    let text = (0..<keys).map { _ in UUID().uuidString.lowercased() + "\n" }.joined()
    try Data(text.utf8).write(to: URL(filePath: spool.path(of: .reading) + "/" + name))
    return ReadyList(place: .reading, name: try ListName(name), isStill: true)
  }

  /// What the client of `list` is told.
  private func read(_ list: ReadyList, with importer: Importer) async -> Result<[UInt8], any Error> {
    await withCheckedContinuation { continuation in
      importer.take(posted: list) { @Sendable in continuation.resume(returning: $0) }
    }
  }

  @Test func aListThatSomebodyWaitsForIsReadBetweenTwoBatchesOfALongOne() async throws {
    let long = try write("long", keys: 5_000)
    let posted = try write("posted", keys: 3)
    let queue = queue
    let importer = Mutex<Importer?>(nil)
    let wasWhole: Bool? = await withCheckedContinuation { answered in
      let isFirst = Mutex(true)
      importer.withLock {
        $0 = self.importer { @Sendable in
          // After the first batch, on the importer's own thread: the second one cannot have begun.
          guard
            isFirst.withLock({ isFirst in
              defer { isFirst = false }
              return isFirst
            })
          else { return }
          importer.withLock { $0 }?.take(posted: posted) { @Sendable _ in
            answered.resume(returning: (try? queue.list(named: "long")).map { $0?.importedAt != nil })
          }
        }
      }
      importer.withLock { $0 }?.take([long])
    }
    #expect(wasWhole == false)
  }

  @Test func aListThatCannotBeFiledStaysAndIsReadOnceItCan() async throws {
    let list = try write("a", keys: 3)
    let done = spool.path(of: .done)
    try FileManager.default.removeItem(atPath: done)
    try Data().write(to: URL(filePath: done))
    let importer = importer()
    guard case .failure(let error as ControlError) = await read(list, with: importer) else {
      Issue.record("filed without a folder")
      return
    }
    #expect(error.message.contains("will be tried again"))
    #expect(importer.faults.keys.map(\.text) == ["a"] && importer.fault != nil && importer.counts.imported == 0)
    #expect(try spool.status(of: list.name.fileName, in: .reading) != nil)
    try FileManager.default.removeItem(atPath: done)
    try spool.prepare()
    guard case .success(let receipt) = await read(list, with: importer) else {
      Issue.record("not read again")
      return
    }
    #expect(String(decoding: receipt, as: UTF8.self).contains(#""accepted":3"#))
    #expect(importer.faults.isEmpty && importer.fault == nil && importer.counts == .init(imported: 1, rejected: 0))
  }

  @Test func shortListsBetweenLongOnesAreReadInTheirOrder() async throws {
    let sizes = [1, 2, 3_000, 1, 0, 4, 5]
    let lists = try zip("abcdefg", sizes).map { name, size in try write(String(name), keys: size) }
    let importer = Mutex<Importer?>(nil)
    let expected = Importer.Counts(imported: 6, rejected: 1)
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      let waiting = Mutex<CheckedContinuation<Void, Never>?>(done)
      importer.withLock {
        $0 = self.importer { @Sendable in
          guard importer.withLock({ $0 })?.counts == expected else { return }
          waiting.withLock { $0.take() }?.resume()
        }
      }
      importer.withLock { $0 }?.take(lists)
    }
    let records = try queue.lists(limit: 10).rows
    #expect(records.map(\.name) == ["a", "b", "c", "d", "f", "g"])
    #expect(records.map(\.accepted) == sizes.filter { $0 > 0 } && records.allSatisfy { $0.filedAt != nil })
  }

  @Test func aRejectedListIsCountedAndItsClientToldWhy() async throws {
    let list = try write("a", keys: 0)
    try Data("no id\n".utf8).write(to: URL(filePath: spool.path(of: .reading) + "/a"))
    let importer = importer()
    guard case .failure(let error as ControlError) = await read(list, with: importer) else {
      Issue.record("accepted")
      return
    }
    #expect(error.code == .unprocessable && importer.counts == .init(imported: 0, rejected: 1))
  }

  @Test func afterAStopClientsAreToldThatTheListIsInTheSpool() async throws {
    let importer = importer()
    importer.stop()
    guard case .failure(let error as ControlError) = await read(try write("a", keys: 1), with: importer) else {
      Issue.record("read after the stop")
      return
    }
    #expect(error.code == .unavailable && importer.isIdle)
    #expect(try queue.list(named: "a") == nil)
  }
}
