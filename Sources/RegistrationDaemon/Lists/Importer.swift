import ControlAPI
import Dispatch
import Logging
import Registration
import RegistrationQueue
import Spool
import Synchronization

/// Takes lists in, one after the other in the order in which they are offered, on a queue of its own.
///
/// A list that could not be taken for a reason that is not its own (a full disk) stays in `incoming/`; the watcher offers
/// it again at its next look.
package final class Importer: Sendable {
  private struct Fault {
    var text: String
    var isDisk: Bool
    var at: Double
  }

  /// Seconds after which a fault that was not met again is over: the watcher offers a list again much sooner.
  private static let faultLife = 15.0

  private struct State {
    var maxFileSize: Int
    /// In order of work, from `first` on.
    var waiting: [FileName] = []
    var first = 0
    /// The same as a set: the watcher offers a list again and again until it is taken in.
    var offered: Set<FileName> = []
    var isRunning = false
    var isStopped = false
    /// Why a list could not be taken in, by its file, and when that was last so.
    var faults: [FileName: Fault] = [:]
    /// When old faults were last forgotten.
    var sweptAt = -Double.infinity
    var counts: [String: Int] = ["imported": 0, "rejected": 0]
    /// Clients that wait for the receipt of a list, by its file name.
    var clients: [FileName: CheckedContinuation<[UInt8], any Error>] = [:]
  }

  private let queue: RegistrationQueue
  private let spool: SpoolDirectory
  private let log: Logger
  private let serial = DispatchQueue(label: "keyreg.importer")
  private let state: Mutex<State>
  private let keysChanged: @Sendable () -> Void
  private let broken: @Sendable (QueueError) -> Void

  /// - Parameters:
  ///   - keysChanged: Called after each commit of keys.
  ///   - broken: Called when the queue cannot be used any more.
  init(
    queue: RegistrationQueue, spool: SpoolDirectory, maxFileSize: Int, log: Logger,
    keysChanged: @escaping @Sendable () -> Void, broken: @escaping @Sendable (QueueError) -> Void
  ) {
    self.queue = queue
    self.spool = spool
    self.log = log
    self.keysChanged = keysChanged
    self.broken = broken
    state = Mutex(State(maxFileSize: maxFileSize))
  }

  /// Bytes; a larger list is rejected.
  package var maxFileSize: Int {
    get { state.withLock { $0.maxFileSize } }
    set { state.withLock { $0.maxFileSize = newValue } }
  }

  /// Nothing is being read or waits to be.
  package var isIdle: Bool { state.withLock { !$0.isRunning } }

  /// Why a list cannot be taken in, while that is so; first of all because of the disk.
  var fault: (text: String, isDisk: Bool)? {
    let now = MonotonicClock.now()
    return state.withLock { state in
      let present = state.faults.values.lazy.filter { now - $0.at < Self.faultLife }
      return (present.first { $0.isDisk } ?? present.first).map { ($0.text, $0.isDisk) }
    }
  }

  /// Lists since the start by what became of them.
  package var counts: [String: Int] { state.withLock { $0.counts } }

  /// Takes in these lists of `incoming/`, in this order. Returns at once.
  func take(_ files: [FileName]) {
    let starts = state.withLock { state in
      guard !state.isStopped else { return false }
      for file in files where state.offered.insert(file).inserted { state.waiting.append(file) }
      guard state.first < state.waiting.count, !state.isRunning else { return false }
      state.isRunning = true
      return true
    }
    if starts { serial.async { @Sendable [self] in work() } }
  }

  /// Ends after the commit under way; what was not read is read after the next start.
  package func stop() {
    let dropped = state.withLock { state in
      state.isStopped = true
      defer {
        state.waiting = []
        state.first = 0
        state.offered = []
      }
      return Array(state.waiting[state.first...])
    }
    for file in dropped { tell(.interrupted, of: file) }
  }

  /// Brings what a kill has interrupted to a state from which everything goes on: lists whose file is in its last place,
  /// or is gone, are noted so. Before the first list is taken.
  package func reconcile() throws {
    let present = Set(try spool.pendingFiles().map(\.bytes))
    for list in try queue.unfiledLists() where !present.contains(list.source) {
      do {
        try listImport(isInterrupted: { false }).close(list)
      } catch let error as SpoolError {
        // Its keys are worked on all the same; the next start tries again.
        log.error("a receipt cannot be written", metadata: ["list": "\(list.name)", "detail": "\(error)"])
      }
    }
  }
}

// MARK: - Work

extension Importer {
  private func listImport(isInterrupted: @escaping () -> Bool) -> ListImport {
    ListImport(
      queue: queue, spool: spool, maxFileSize: maxFileSize, log: log, isInterrupted: isInterrupted,
      committed: keysChanged)
  }

  private func work() {
    while let file = next() {
      do {
        let ending = try listImport(isInterrupted: { [self] in state.withLock { $0.isStopped } }).run(file)
        _ = state.withLock { $0.faults.removeValue(forKey: file) }
        tell(ending, of: file)
      } catch {
        fail(error, at: file)
      }
    }
  }

  private func next() -> FileName? {
    state.withLock { state in
      guard state.first < state.waiting.count else {
        state.waiting = []
        state.first = 0
        state.isRunning = false
        return nil
      }
      defer { state.first += 1 }
      state.offered.remove(state.waiting[state.first])
      return state.waiting[state.first]
    }
  }

  private func tell(_ ending: ListImport.Ending, of file: FileName) {
    switch ending {
    case .imported(let receipt):
      state.withLock { $0.counts["imported", default: 0] += 1 }
      log.notice(
        "list imported",
        metadata: [
          "list": "\(receipt.list)", "accepted": "\(receipt.keys.accepted)", "known": "\(receipt.keys.alreadyKnown)",
          "duplicate": "\(receipt.keys.duplicateInList)", "invalid": "\(receipt.keys.invalid)",
        ])
      answer(file, Result { Array(try receipt.json()) })
    case .rejected(let name, let rejection):
      state.withLock { $0.counts["rejected", default: 0] += 1 }
      log.warning(
        "list rejected", metadata: ["list": "\(name)", "reason": "\(rejection.what)", "line": "\(rejection.line ?? 0)"])
      answer(file, .failure(ControlError(.unprocessable, "\(rejection.what); \(rejection.hint)")))
    case .changed:
      log.info("a list was written to while it was read; it is read again", metadata: ["file": "\(file)"])
    case .gone: answer(file, .failure(ControlError(.conflict, "the list vanished before it was read")))
    case .interrupted: answer(file, .failure(ControlError(.unavailable, "the daemon stops; the list is in the spool")))
    }
    keysChanged()
  }

  /// The list stays where it is. Told once for each fault.
  private func fail(_ error: any Error, at file: FileName) {
    let isDisk: Bool
    switch error {
    case let error as QueueError:
      isDisk = error.kind == .disk
      if !isDisk { broken(error) }
    case let error as SpoolError: isDisk = error.isDiskFault
    default: isDisk = false
    }
    let text = "cannot take in \(file): \(error)"
    let now = MonotonicClock.now()
    let isNews = state.withLock { state in
      if now - state.sweptAt > Self.faultLife {
        state.faults = state.faults.filter { now - $0.value.at < Self.faultLife }
        state.sweptAt = now
      }
      defer { state.faults[file] = Fault(text: text, isDisk: isDisk, at: now) }
      return state.faults[file]?.text != text
    }
    if isNews { log.error("a list cannot be taken in yet", metadata: ["file": "\(file)", "detail": "\(error)"]) }
    answer(file, .failure(ControlError(.unavailable, "\(text); the list is in the spool and will be tried again")))
    keysChanged()
  }

  private func answer(_ file: FileName, _ result: Result<[UInt8], any Error>) {
    state.withLock { $0.clients.removeValue(forKey: file) }?.resume(with: result)
  }
}

// MARK: - Lists over the control socket

extension Importer {
  /// Drops a list into the spool as it comes, takes it in, and returns the receipt as JSON.
  package func submit(
    name: String?, force: Bool, body: any AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> [UInt8] {
    let list: ListName
    do {
      list = try ListName(name ?? "list-\(Timestamp.now().milliseconds).txt")
    } catch {
      throw ControlError(.badRequest, error.message)
    }
    let drop = DropBox(spool: spool)
    for try await piece in body { try await drop.write(piece) }
    return try await withCheckedThrowingContinuation { continuation in
      // On the importer's own queue, so that the list is not taken in before somebody waits for its receipt.
      serial.async { @Sendable [self] in
        do {
          let committed = try drop.commit(as: list, force: force)
          state.withLock { $0.clients[committed.fileName] = continuation }
          take([committed.fileName])
          if state.withLock({ $0.isStopped }) { tell(.interrupted, of: committed.fileName) }
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
  }
}

/// A drop that is written from the control server and kept off its thread.
private final class DropBox: Sendable {
  private let spool: SpoolDirectory
  private let serial = DispatchQueue(label: "keyreg.drop")
  private let drop = Mutex<Drop?>(nil)

  init(spool: SpoolDirectory) {
    self.spool = spool
  }

  func write(_ bytes: [UInt8]) async throws {
    try await DaemonControl.onQueue(serial) { [self] () throws in
      try drop.withLock { slot in
        if slot == nil { slot = try spool.beginDrop() }
        try slot?.write(bytes)
      }
    }
  }

  func commit(as name: ListName, force: Bool) throws -> ListName {
    try drop.withLock { slot in
      let drop = try slot ?? spool.beginDrop()
      slot = nil
      return try drop.commit(as: name, force: force)
    }
  }
}
