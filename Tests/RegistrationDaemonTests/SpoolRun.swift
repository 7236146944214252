// The daemon's way of a list (claim, reading, filing, results) in a spool that others write to, killed between any two
// commits. A kill is a thread that goes no further: what it has left on the disk is what the next process finds.

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
      try live(rounds: 12)
    }
    state.withLock { $0.stepsLeft = nil }
    try state.withLock { try $0.world.end() }
    try live(rounds: 40)
    let queue = try openQueue()
    if state.withLock({ $0.broken }) == nil, let broken = try brokenEnd(queue) { fail(broken) }
    let lists = queue.listTotals.total
    return state.withLock { Result(kills: $0.kills, steps: $0.steps, lists: lists, broken: $0.broken) }
  }

  private func fail(_ text: String) { state.withLock { $0.broken = $0.broken ?? text } }

  // MARK: - A process

  /// A process from its start to its kill, or until there is nothing left to do for it in so many rounds.
  private func live(rounds: Int) throws {
    let ended = DispatchSemaphore(value: 0)
    DispatchQueue(label: "process").async { @Sendable [self] in
      do {
        try work(rounds: rounds, ended)
      } catch {
        // A ghost finds no folder: by then somebody else looks at the run.
        fail("the process ends: \(error)")
      }
      ended.signal()
    }
    ended.wait()
  }

  private func openQueue(_ step: @escaping @Sendable () -> Void = {}) throws -> RegistrationQueue {
    try RegistrationQueue(
      path: folder.appending(path: "queue.sqlite").path,
      readClock: {
        step()
        return .now()
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

  private func work(rounds: Int, _ ended: DispatchSemaphore) throws {
    let step = { @Sendable [self] in self.step(ended) }
    let queue = try openQueue(step)
    if let broken = try brokenFiling(queue) { return fail(broken) }
    let intake = IntakeFolders(spool: spool, settle: .zero) { try queue.hasList(named: $0.text) }
    let reading = ListReading(
      queue: queue, spool: spool, maxFileSize: 10_000_000, log: Logger(label: "run") { _ in SwiftLogNoOpLogHandler() },
      isInterrupted: {
        step()
        return false
      }, committed: step)
    var ready = try leftovers(queue, reading)
    for _ in 0..<rounds {
      // As after lost events: whatever lies in a last place may have grown.
      for place in [SpoolDirectory.Subfolder.done, .rejected] {
        for name in try spool.lists(in: place) { intake.noteWrite(to: ListName(filed: name)) }
      }
      ready += intake.look().ready
      var faults: [ReadyList] = []
      // As `Importer` reads them.
      while !ready.isEmpty {
        let endings = ListGroup(reading: reading).run(ready)
        let lists = ready.prefix(max(1, endings.count))
        ready.removeFirst(lists.count)
        for (index, list) in lists.enumerated() where endings.isEmpty || endings[index] == nil {
          do {
            if case .notStill = try reading.run(list) { intake.noteWrite(to: list.name) }
          } catch {
            faults.append(list)
          }
        }
      }
      ready = faults
      if let broken = try brokenFiling(queue) { return fail(broken) }
      try register(queue)
      step()
    }
    if state.withLock({ $0.world.isStill }), !ready.isEmpty { fail("\(ready) cannot be read") }
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
    let now = Timestamp.now()
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
