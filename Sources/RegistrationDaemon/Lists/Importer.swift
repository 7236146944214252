import ControlAPI
import Dispatch
import Logging
import Registration
import RegistrationQueue
import Spool
import Synchronization

/// Reads claimed lists one after the other, in the order in which they are reported, on a dispatch queue of its own.
/// Lists from the control socket go first, also between two batches of a long list, because somebody waits for their
/// receipts.
///
/// A list that cannot be read for a reason outside the list (a full disk, no permission) stays where it is and is tried
/// again every few seconds.
package final class Importer: Sendable {
  typealias Client = @Sendable (Result<[UInt8], any Error>) -> Void

  /// Lists by what became of them.
  struct Counts: Hashable, Sendable {
    var imported = 0
    var rejected = 0
  }

  private struct State {
    var maxFileSize: Int
    var waiting = WaitingLists()
    var isRunning = false
    var isStopped = false
    var faults: [ListName: ImportFault] = [:]
    var counts = Counts()
    /// Clients that wait for the receipt of a list.
    var clients: [ListName: Client] = [:]
  }

  /// Seconds before lists with a fault are tried again.
  private static let patience = 5.0

  let queue: RegistrationQueue
  let spool: SpoolDirectory
  let log: Logger
  private let watcher: SpoolWatcher
  private let serial = DispatchQueue(label: "keyreg.importer")
  private let state: Mutex<State>
  private let keysChanged: @Sendable () -> Void
  private let broken: @Sendable (QueueError) -> Void

  /// - Parameters:
  ///   - watcher: Told about lists that have not settled yet.
  ///   - keysChanged: Called after each commit of keys.
  ///   - broken: Called when the queue can no longer be used.
  init(
    queue: RegistrationQueue, spool: SpoolDirectory, watcher: SpoolWatcher, maxFileSize: Int, log: Logger,
    keysChanged: @escaping @Sendable () -> Void, broken: @escaping @Sendable (QueueError) -> Void
  ) {
    self.queue = queue
    self.spool = spool
    self.watcher = watcher
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

  /// Nothing is being read or waiting to be.
  package var isIdle: Bool { state.withLock { !$0.isRunning } }

  /// The lists that cannot be read, and why.
  var faults: [ListName: ImportFault] { state.withLock { $0.faults } }

  /// Why a list cannot be read, while that is so; faults of the disk come first.
  var fault: (text: String, isDisk: Bool)? {
    state.withLock { state in
      (state.faults.first { $0.value.isDisk } ?? state.faults.first).map {
        ("cannot read \($0): \($1.text)", $1.isDisk)
      }
    }
  }

  /// Since the start.
  var counts: Counts { state.withLock { $0.counts } }

  /// Reads these lists, in this order. Returns at once.
  func take(_ lists: [ReadyList]) {
    let starts = state.withLock { state in
      guard !state.isStopped else { return false }
      for list in lists { state.waiting.add(list) }
      return Self.starts(&state)
    }
    if starts { serial.async { @Sendable [self] in work() } }
  }

  /// Reads a list from the control socket, before all others, and answers with its receipt.
  func take(posted list: ReadyList, answer: @escaping Client) {
    let starts = state.withLock { state in
      state.clients[list.name] = answer
      guard !state.isStopped else { return false }
      state.waiting.add(posted: list)
      return Self.starts(&state)
    }
    if starts { serial.async { @Sendable [self] in work() } }
    if state.withLock({ $0.isStopped }) { tell(.interrupted, of: list.name) }
  }

  private static func starts(_ state: inout State) -> Bool {
    guard !state.waiting.isEmpty, !state.isRunning else { return false }
    state.isRunning = true
    return true
  }

  /// Ends after the commit in progress; what was not read is read after the next start.
  package func stop() {
    let dropped = state.withLock { state in
      state.isStopped = true
      return state.waiting.removeAll()
    }
    for list in dropped { tell(.interrupted, of: list.name) }
  }

  /// Completes what a kill interrupted: lists whose file is in its final place, or is gone, are noted as such. Call
  /// this before the first list is taken.
  package func reconcile() throws {
    var filed: [ReadyList] = []
    for list in try queue.unfiledLists() {
      let name = ListName(stored: list.name)
      // The watcher reports those in reading/.
      if try spool.status(of: name.fileName, in: .reading) != nil { continue }
      if try spool.status(of: name.fileName, in: .done) != nil {
        filed.append(ReadyList(place: .done, name: name, isStill: false))
        continue
      }
      do {
        try reading(isInterrupted: { false }).close(list)
      } catch let error as SpoolError {
        // Its keys are processed nevertheless; the next start tries again.
        log.error("a receipt cannot be written", metadata: ["list": "\(list.name)", "detail": "\(error)"])
      }
    }
    take(filed)
  }
}

// MARK: - Work

extension Importer {
  private func reading(isInterrupted: @escaping () -> Bool) -> ListReading {
    ListReading(
      queue: queue, spool: spool, maxFileSize: maxFileSize, log: log, isInterrupted: isInterrupted,
      committed: keysChanged)
  }

  private var isStopped: Bool { state.withLock { $0.isStopped } }

  private func work() {
    while let list = next() {
      if list.isPosted {
        read(list.ready, isInterrupted: { [self] in isStopped })
      } else {
        // Lists with a waiting client are read between two batches.
        read(list.ready) { [self] in
          while let posted = state.withLock({ $0.waiting.nextPosted() }) {
            read(posted, isInterrupted: { [self] in isStopped })
          }
          return isStopped
        }
      }
    }
  }

  private func read(_ list: ReadyList, isInterrupted: @escaping () -> Bool) {
    do {
      let wantsReceipt = state.withLock { $0.clients[list.name] != nil }
      let ending = try reading(isInterrupted: isInterrupted).run(list, wantsReceipt: wantsReceipt)
      _ = state.withLock { $0.faults.removeValue(forKey: list.name) }
      tell(ending, of: list.name)
    } catch {
      fail(error, at: list)
    }
  }

  private func next() -> (ready: ReadyList, isPosted: Bool)? {
    state.withLock { state in
      if let posted = state.waiting.nextPosted() { return (posted, true) }
      if let list = state.waiting.next() { return (list, false) }
      state.isRunning = false
      return nil
    }
  }

  private func tell(_ ending: ListReading.Ending, of name: ListName) {
    switch ending {
    case .imported(let receipt, let cutShort):
      state.withLock { $0.counts.imported += 1 }
      log.notice(
        "list imported",
        metadata: [
          "list": "\(receipt.list)", "accepted": "\(receipt.keys.accepted)", "known": "\(receipt.keys.alreadyKnown)",
          "duplicate": "\(receipt.keys.duplicateInList)", "invalid": "\(receipt.keys.invalid)",
        ])
      if let cutShort {
        log.warning(
          "part of the list was not read",
          metadata: ["list": "\(receipt.list)", "line": "\(cutShort.line)", "detail": "\(cutShort.description)"])
      }
      answer(name, Result { Array(try receipt.json()) })
    case .rejected(let name, let rejection):
      state.withLock { $0.counts.rejected += 1 }
      log.warning(
        "list rejected", metadata: ["list": "\(name)", "reason": "\(rejection.what)", "line": "\(rejection.line ?? 0)"])
      answer(name, .failure(ControlError(rejection)))
    case .unchanged: return
    case .notStill:
      watcher.noteWrite(to: name)
      return
    case .gone: answer(name, .failure(ControlError(.conflict, "the list disappeared before it was read")))
    case .interrupted:
      answer(name, .failure(ControlError(.unavailable, "the daemon is stopping; the list is in the spool")))
    }
    keysChanged()
  }

  /// The list stays where it is. Each fault is logged once.
  private func fail(_ error: any Error, at list: ReadyList) {
    let fault = ImportFault(error, at: list)
    if let error = error as? QueueError, error.kind != .disk { broken(error) }
    let isNews = state.withLock { state in
      defer { state.faults[list.name] = fault }
      return state.faults[list.name]?.text != fault.text
    }
    if isNews { log.error("a list cannot be read yet", metadata: ["list": "\(list.name)", "detail": "\(fault.text)"]) }
    answer(
      list.name, .failure(ControlError(.unavailable, "\(fault.text); the list is in the spool and will be tried again"))
    )
    planRetry(of: list)
    keysChanged()
  }

  private func planRetry(of list: ReadyList) {
    serial.asyncAfter(deadline: .now() + Self.patience) { @Sendable [weak self] in self?.take([list]) }
  }

  private func answer(_ list: ListName, _ result: Result<[UInt8], any Error>) {
    state.withLock { $0.clients.removeValue(forKey: list) }?(result)
  }
}
