// The daemon's way of a list (events, claim, reading, filing, results) in a spool that others write to, by a clock that
// passes as it likes, killed between any two commits. A kill is a thread that goes no further: what it has left on the disk
// is what the next process finds. Files and inotify are real; nothing waits.

import Foundation
import KeyList
import Logging
import Registration
import RegistrationQueue
import Synchronization

@testable import RegistrationDaemon
@testable import Spool

final class SpoolRun: Sendable {
  private struct State {
    var world: SpoolWorld
    /// Steps until the process is killed; nil for never.
    var stepsLeft: Int?
    var kills = 0
    /// The first promise that was not kept.
    var broken: String?
    var ghosts: [DispatchSemaphore] = []
    var steps = 0
  }

  private let state: Mutex<State>
  private let folder: URL
  private let spool: SpoolDirectory

  init(seed: UInt64) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "keyreg-spool-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let world = try SpoolWorld(seed: seed, in: folder)
    spool = world.spool
    state = Mutex(State(world: world))
  }

  struct Result {
    var kills: Int
    var steps: Int
    var lists: Int
    /// Of the run's own clock.
    var seconds: Double
    var broken: String?
  }

  /// Blocks.
  func run(processes: Int) throws -> Result {
    defer {
      try? FileManager.default.removeItem(at: folder)
      // What they still try has no folder any more.
      for ghost in state.withLock({ $0.ghosts }) { ghost.signal() }
    }
    for _ in 0..<processes where state.withLock({ $0.broken }) == nil {
      state.withLock { state in state.stepsLeft = 1 + Int(state.world.unit() * 60) }
      try live(rounds: 40)
    }
    state.withLock { $0.stepsLeft = nil }
    try state.withLock { try $0.world.end() }
    try live(until: now + Self.longestEnd)
    let queue = try openQueue()
    if state.withLock({ $0.broken }) == nil, let broken = try brokenEnd(queue) { fail(broken) }
    let lists = queue.listTotals.total
    return state.withLock {
      Result(kills: $0.kills, steps: $0.steps, lists: lists, seconds: $0.world.now, broken: $0.broken)
    }
  }

  private func fail(_ text: String) { state.withLock { $0.broken = $0.broken ?? text } }

  // MARK: - A process

  /// A process from its start to its kill, or for so many rounds, or until this time.
  private func live(rounds: Int = .max, until end: Double = .infinity) throws {
    let ended = DispatchSemaphore(value: 0)
    DispatchQueue(label: "process").async { @Sendable [self] in
      do {
        try work(rounds: rounds, until: end, ended)
      } catch {
        // A ghost finds no folder: by then somebody else looks at the run.
        fail("the process ends: \(error)")
      }
      ended.signal()
    }
    ended.wait()
  }

  private var now: Double { state.withLock { $0.world.now } }

  private func openQueue(_ step: @escaping @Sendable () -> Void = {}) throws -> RegistrationQueue {
    try RegistrationQueue(
      path: folder.appending(path: "queue.sqlite").path,
      readClock: { [self] in
        step()
        let (now, wall) = state.withLock { ($0.world.now, $0.world.wall) }
        return ClockReading(boot: "one", sinceBoot: Int64(now * 1_000), wall: wall)
      })
  }

  /// Between two steps of the process: others write, and it may be killed.
  private func step(_ ended: DispatchSemaphore) {
    let grave = state.withLock { state -> DispatchSemaphore? in
      state.steps += 1
      state.world.step()
      guard let left = state.stepsLeft else { return nil }
      state.stepsLeft = left > 1 ? left - 1 : nil
      guard left == 1 else { return nil }
      state.kills += 1
      let grave = DispatchSemaphore(value: 0)
      state.ghosts.append(grave)
      return grave
    }
    guard let grave else { return }
    ended.signal()
    grave.wait()
  }

  private var clock: SpoolClock {
    SpoolClock(
      monotonic: { @Sendable [self] in .seconds(now) },
      wall: { @Sendable [self] in state.withLock { $0.world.wall.milliseconds } * 1_000_000 })
  }

  /// Seconds between scans without events, as the watcher's, and before lists with a fault are tried again.
  private static let rescan = 5.0
  private static let retryInterval = 5.0
  /// Seconds within which every list is read once its writers have gone: a minute for one whose closing went unseen, and
  /// what its reading takes.
  private static let longestEnd = 90.0

  /// The watcher and the importer take their turns in one thread.
  private func work(rounds: Int, until end: Double, _ ended: DispatchSemaphore) throws {
    let step = { @Sendable [self] in self.step(ended) }
    let queue = try openQueue(step)
    if let broken = try brokenFiling(queue) { return fail(broken) }
    let intake = IntakeFolders(spool: spool, settle: .seconds(2), clock: clock) { try queue.hasList(named: $0.text) }
    let hasEvents = state.withLock { $0.world.unit() } < 0.8
    if hasEvents { intake.use(try FolderEvents()) }
    let log = Logger(label: "run") { _ in SwiftLogNoOpLogHandler() }
    let filed = FiledLists(queue: queue, spool: spool, noteWrite: intake.noteWrite(to:), log: log)
    let reading = ListReading(
      queue: queue, spool: spool, maxFileSize: 10_000_000, log: log,
      isInterrupted: {
        step()
        return false
      }, committed: step)
    var waiting = WaitingLists()
    for list in try leftovers(queue, reading) { waiting.add(list) }
    var faults: [(list: ReadyList, until: Double)] = []
    var (nextLook, nextScan) = (Double.infinity, now)
    var mustCompare = true
    var round = 0
    while round < rounds, now < end {
      round += 1
      if mustCompare || !hasEvents { try filed.check() }
      mustCompare = false
      if let seconds = intake.takeEvents() { nextLook = min(nextLook, now + seconds) }
      if now >= min(nextLook, nextScan) {
        if now >= nextScan { nextScan = now + Self.rescan }
        let findings = intake.look()
        nextLook = findings.nextLook.map { now + max(0.001, $0) + 0.002 } ?? .infinity
        mustCompare = findings.mayHaveMissedWrites
        for list in findings.ready { waiting.add(list) }
      }
      for fault in faults where fault.until <= now { waiting.add(fault.list) }
      faults.removeAll { $0.until <= now }
      // As `Importer` reads them.
      var ready = waiting.next(ListGroup.mostLists)[...]
      while !ready.isEmpty {
        let endings = ready.count > 1 ? ListGroup(reading: reading).run(ready) : []
        let lists = ready.prefix(max(1, endings.count))
        ready.removeFirst(lists.count)
        for (index, list) in lists.enumerated() where endings.isEmpty || endings[index] == nil {
          do {
            if case .notStill = try reading.run(list) {
              intake.noteWrite(to: list.name)
              nextLook = min(nextLook, now + 2)
            }
          } catch {
            faults.append((list, now + Self.retryInterval))
          }
        }
      }
      if let broken = try brokenFiling(queue) { return fail(broken) }
      try register(queue)
      step()
      // Nothing else would wake it.
      if state.withLock({ $0.world.isStill }), waiting.isEmpty {
        let next = ([nextLook, nextScan] + faults.map(\.until)).min() ?? nextScan
        state.withLock { $0.world.wait(max(0, next - $0.world.now)) }
      }
    }
    if state.withLock({ $0.world.isStill }), !faults.isEmpty { fail("\(faults) cannot be read") }
  }

  /// As `Importer.reconcile`.
  private func leftovers(_ queue: RegistrationQueue, _ reading: ListReading) throws -> [ReadyList] {
    var filed: [ReadyList] = []
    for list in try queue.unfiledLists() {
      let name = ListName(stored: list.name)
      if try spool.status(of: name.fileName, in: .reading) != nil { continue }
      if try spool.status(of: name.fileName, in: .done) != nil {
        filed.append(ReadyList(place: .done, name: name, isStill: false))
      } else {
        try reading.close(list)
      }
    }
    return filed
  }

  private func register(_ queue: RegistrationQueue) throws {
    let keys = try queue.dueKeys(limit: 1_000, except: [], horizon: 1_000)
    let now = state.withLock { $0.world.wall }
    guard !keys.isEmpty else { return }
    try queue.record(keys.map { KeyResult(row: $0.row, decision: .registered, httpStatus: 201, sentAt: now, at: now) })
  }

  // MARK: - Promises

  private struct Receipted: Decodable {
    var bytes: Int
    var keys: Receipt.Keys
  }

  private func receipt(of name: ListName) throws -> Receipted? {
    let path = "\(spool.path(of: .done))/\(name.receiptFileName)"
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    return try JSONDecoder().decode(Receipted.self, from: data)
  }

  private func content(of name: FileName) -> Data {
    FileManager.default.contents(atPath: "\(spool.path(of: .done))/\(name)") ?? Data()
  }

  /// At any moment: a list in `done/` has its receipt, and the queue has every key of it that the receipt counts.
  private func brokenFiling(_ queue: RegistrationQueue) throws -> String? {
    for file in try spool.lists(in: .done) {
      let name = ListName(filed: file)
      guard let receipt = try receipt(of: name) else { return "\(name) lies in done/ without a receipt" }
      guard let list = try queue.list(named: name.text) else { return "\(name) lies in done/, and no queue knows it" }
      guard let filedAt = list.filedAt, let status = try spool.status(of: file, in: .done),
        status.size == list.bytes, status.modified == list.modified, status.changedAt <= filedAt
      else { continue }
      // Nobody has written to it since it was read.
      guard list.importedAt != nil, receipt.bytes == list.bytes, receipt.keys.accepted == list.accepted else {
        return "\(name) is filed, but not all of it is in its receipt"
      }
    }
    return nil
  }

  private func brokenEnd(_ queue: RegistrationQueue) throws -> String? {
    for place in [SpoolDirectory.Subfolder.incoming, .reading] {
      // An empty file waits for its content.
      let left = try spool.lists(in: place).filter { try spool.status(of: $0, in: place)?.size ?? 0 > 0 }
      if !left.isEmpty { return "\(left) lie in \(place.rawValue)/" }
    }
    let unfiled = try queue.unfiledLists()
    if !unfiled.isEmpty { return "\(unfiled.map(\.name)) are not filed" }
    while queue.tally.open > 0 { try register(queue) }
    let writer = ResultsWriter(
      queue: queue, spool: spool, log: Logger(label: "run") { _ in SwiftLogNoOpLogHandler() }, changed: {})
    writer.look()
    writer.finish(by: .infinity)
    if queue.listTotals.active + queue.listTotals.finishing > 0 { return "\(queue.listTotals)" }
    for file in try spool.lists(in: .done) {
      let name = ListName(filed: file)
      guard let list = try queue.list(named: name.text), let receipt = try receipt(of: name) else {
        return "\(name) is not known"
      }
      let content = content(of: file)
      let known = Set(try queue.outcomes(list: list, limit: .max).rows.map(\.id))
      var reader = KeyListReader(bytes: content)
      var entries = 0
      while let entry = try reader.next() {
        entries += 1
        guard case .key(let id, _) = entry else { continue }
        guard known.contains(id) else {
          return "\(id) of \(name) is not in the queue"
        }
      }
      let keys = receipt.keys
      let sum = keys.accepted + keys.alreadyKnown + keys.duplicateInList + keys.invalid
      if receipt.bytes != content.count || sum != entries || list.entries != entries {
        return "\(name) has \(entries) entries in \(content.count) bytes, its receipt \(sum) in \(receipt.bytes)"
      }
      let results =
        FileManager.default.contents(atPath: "\(spool.path(of: .results))/\(name.resultsFileName)") ?? Data()
      let rows = results.count { $0 == UInt8(ascii: "\n") } - 1
      if rows != list.keys.total { return "\(name) has \(list.keys.total) keys and \(rows) results" }
    }
    return nil
  }
}
