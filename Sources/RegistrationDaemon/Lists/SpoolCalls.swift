import Dispatch
import Registration
import Spool
import Synchronization

/// Work in the spool that a client waits for. The spool can hang, and the work with it, but no client waits longer than
/// a few seconds: it learns that the spool does not respond, and the work goes on without it.
final class SpoolCalls: Sendable {
  private struct Wait {
    /// In seconds on the monotonic clock.
    var begunAt: Double
    /// Seconds that the work may take in a spool that responds.
    var patience: Double
    var giveUp: @Sendable (any Error) -> Void
  }

  private struct State {
    var waits: [Int: Wait] = [:]
    var lastNumber = 0
    var isWatched = false
    var isStopped = false
  }

  /// Seconds between checks of the waiting calls.
  private static let interval = 0.25

  private let monitor: SpoolMonitor
  private let watch = DispatchQueue(label: "keyreg.spool.calls")
  private let state = Mutex(State())

  init(monitor: SpoolMonitor) {
    self.monitor = monitor
  }

  /// Runs `body` on `queue` and returns its result. Throws `SpoolError` of kind `unanswered` when the spool hangs,
  /// `body` takes longer than `patience` seconds, or the daemon stops; `body` then goes on.
  func run<Value: Sendable>(
    on queue: DispatchQueue, patience: Double = 30, _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await wait(patience: patience) { answer in
      queue.async { @Sendable in answer(Result(catching: body)) }
    }
  }

  /// Waits until the work that `begin` started calls its `answer`. Throws as above.
  func wait<Value: Sendable>(
    patience: Double, _ begin: (@escaping @Sendable (Result<Value, any Error>) -> Void) -> Void
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let client = Client(continuation)
      let number = add(patience: patience) { error in client.answer(.failure(error)) }
      begin { [self] result in
        state.withLock { state in _ = state.waits.removeValue(forKey: number) }
        client.answer(result)
      }
    }
  }

  /// Answers all callers, now and later: the daemon is stopping.
  func stop() {
    let waits = state.withLock { state in
      state.isStopped = true
      defer { state.waits = [:] }
      return state.waits.values.map(\.giveUp)
    }
    for giveUp in waits { giveUp(Self.stopping) }
  }

  private static let stopping = SpoolError(
    kind: .unanswered, message: "the daemon stopped before the spool answered", hint: "start it again")

  private func add(patience: Double, giveUp: @escaping @Sendable (any Error) -> Void) -> Int {
    let (number, isStopped, starts) = state.withLock { state in
      state.lastNumber += 1
      guard !state.isStopped else { return (state.lastNumber, true, false) }
      state.waits[state.lastNumber] = Wait(begunAt: MonotonicClock.now(), patience: patience, giveUp: giveUp)
      defer { state.isWatched = true }
      return (state.lastNumber, false, !state.isWatched)
    }
    if isStopped { giveUp(Self.stopping) }
    if starts { checkSoon() }
    return number
  }

  private func checkSoon() {
    watch.asyncAfter(deadline: .now() + Self.interval) { @Sendable [self] in check() }
  }

  private func check() {
    let hang = monitor.hang
    let now = MonotonicClock.now()
    let (late, goesOn) = state.withLock { state in
      let late = state.waits.filter { _, wait in
        // Work that began a moment ago may be what has woken the spool.
        hang != nil && now - wait.begunAt > Self.interval || now - wait.begunAt > wait.patience
      }
      for number in late.keys { state.waits[number] = nil }
      state.isWatched = !state.waits.isEmpty
      return (late.values, state.isWatched)
    }
    for wait in late {
      wait.giveUp(hang ?? monitor.unanswered(for: now - wait.begunAt))
    }
    if goesOn { checkSoon() }
  }
}

/// A client that waits for one answer, the first that comes.
private final class Client<Value: Sendable>: Sendable {
  private let continuation: Mutex<CheckedContinuation<Value, any Error>?>

  init(_ continuation: CheckedContinuation<Value, any Error>) {
    self.continuation = Mutex(continuation)
  }

  func answer(_ result: Result<Value, any Error>) {
    continuation.withLock { $0.take() }?.resume(with: result)
  }
}
