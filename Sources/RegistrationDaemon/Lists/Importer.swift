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
  private static let retryInterval = 5.0

  let queue: RegistrationQueue
  let spool: SpoolDirectory
  let log: Logger
  private let announcer: Announcer?
  private let watcher: SpoolWatcher
  private let serial = DispatchQueue(label: "keyreg.importer")
  private let state: Mutex<State>
  private let keysChanged: @Sendable () -> Void
  private let broken: @Sendable (QueueError) -> Void

  /// - Parameters:
  ///   - watcher: Gets lists that have not settled yet.
  ///   - announcer: Notifies operators of rejected lists.
  ///   - keysChanged: Called after each commit of keys.
  ///   - broken: Called when the queue can no longer be used.
  init(
    queue: RegistrationQueue, spool: SpoolDirectory, watcher: SpoolWatcher, maxFileSize: Int,
    announcer: Announcer? = nil, log: Logger, keysChanged: @escaping @Sendable () -> Void,
    broken: @escaping @Sendable (QueueError) -> Void
  ) {
    self.queue = queue
    self.spool = spool
    self.watcher = watcher
    self.announcer = announcer
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
}

// MARK: - Work

extension Importer {
  func reading(isInterrupted: @escaping () -> Bool) -> ListReading {
    ListReading(
      queue: queue, spool: spool, maxFileSize: maxFileSize, log: log, isInterrupted: isInterrupted,
      committed: keysChanged, announcer: announcer)
  }

  private var isStopped: Bool { state.withLock { $0.isStopped } }

  private func work() {
    while let lists = next() {
      switch lists {
      case .posted(let list): read(list)
      case .waiting(let lists): read(lists)
      }
    }
  }

  /// Reads lists in their order, those that can be read together in groups. Lists with a waiting client are read in between.
  private func read(_ lists: [ReadyList]) {
    var rest = lists[...]
    while let first = rest.first, !isStopped {
      readPosted()
      let endings = rest.count > 1 ? ListGroup(reading: reading(isInterrupted: { false })).run(rest) : []
      for (list, ending) in zip(rest, endings) {
        if let ending { finish(list, ending) } else { read(list, betweenBatches: readPosted) }
      }
      if endings.isEmpty { read(first, betweenBatches: readPosted) } else { keysChanged() }
      rest = rest.dropFirst(max(1, endings.count))
    }
  }

  private func readPosted() {
    while let posted = state.withLock({ $0.waiting.nextPosted() }) { read(posted) }
  }

  private func read(_ list: ReadyList, betweenBatches: @escaping () -> Void = {}) {
    let reading = reading { [self] in
      betweenBatches()
      return isStopped
    }
    do {
      let wantsReceipt = state.withLock { $0.clients[list.name] != nil }
      finish(list, try reading.run(list, wantsReceipt: wantsReceipt))
      keysChanged()
    } catch {
      fail(error, at: list)
    }
  }

  private func finish(_ list: ReadyList, _ ending: ListReading.Ending) {
    _ = state.withLock { $0.faults.removeValue(forKey: list.name) }
    tell(ending, of: list.name)
  }

  private enum Turn {
    case posted(ReadyList)
    case waiting([ReadyList])
  }

  private func next() -> Turn? {
    state.withLock { state in
      if let posted = state.waiting.nextPosted() { return .posted(posted) }
      let lists = state.waiting.next(ListGroup.mostLists)
      if lists.isEmpty { state.isRunning = false }
      return lists.isEmpty ? nil : .waiting(lists)
    }
  }

  private func tell(_ ending: ListReading.Ending, of name: ListName) {
    ending.tell(log)
    switch ending {
    case .imported(let receipt, _):
      state.withLock { $0.counts.imported += 1 }
      answer(name, Result { Array(try receipt.json()) })
    case .rejected(let name, let rejection):
      state.withLock { $0.counts.rejected += 1 }
      answer(name, .failure(ControlError(rejection)))
    case .unchanged: break
    case .notStill: watcher.noteWrite(to: name)
    case .gone: answer(name, .failure(ControlError(.conflict, "the list disappeared before it was read")))
    case .interrupted:
      answer(name, .failure(ControlError(.unavailable, "the daemon is stopping; the list is in the spool")))
    }
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
    serial.asyncAfter(deadline: .now() + Self.retryInterval) { @Sendable [weak self] in self?.take([list]) }
  }

  private func answer(_ list: ListName, _ result: Result<[UInt8], any Error>) {
    state.withLock { $0.clients.removeValue(forKey: list) }?(result)
  }
}
