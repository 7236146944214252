import Dispatch
import Logging
import RegistrationQueue
import Synchronization

/// Delivers what is due in one way, one after the other, the oldest first. What fails is tried again, then given up.
///
/// A notification is forgotten after it was delivered: after a kill in between it is delivered once more.
final class Deliveries: Sendable {
  /// Blocks; returns why it failed, nil when it did not.
  typealias Delivery = (String) -> String?

  private enum Phase {
    case idle
    case delivering(isMoreDue: Bool)
    /// The daemon ends soon: what is due is tried once more.
    case ending
    /// The queue is being closed.
    case ended
  }

  private struct State {
    var phase = Phase.idle
    /// The number of the last one that was delivered or given up.
    var settled: Int64 = 0
    /// What the queue could not keep.
    var unkept: [String] = []
  }

  /// Notifications that the queue could not keep; more are dropped.
  private static let mostUnkept = 10
  /// Seconds before each further attempt.
  private static let delays = [2.0, 20.0]

  private let way: DueNotification.Way
  private let queue: RegistrationQueue
  private let delivery: @Sendable () -> Delivery?
  private let log: Logger
  private let serial: DispatchQueue
  private let state = Mutex(State())
  private let stop = DispatchSemaphore(value: 0)

  /// - Parameter delivery: How to deliver now; nil if this way is no longer used.
  init(
    by way: DueNotification.Way, from queue: RegistrationQueue, log: Logger,
    delivery: @escaping @Sendable () -> Delivery?
  ) {
    self.way = way
    self.queue = queue
    self.delivery = delivery
    self.log = log
    serial = DispatchQueue(label: "keyreg.notify.\(way.rawValue)")
  }

  /// Delivers what is due. Returns at once.
  func look() {
    let starts = state.withLock { state in
      switch state.phase {
      case .idle:
        state.phase = .delivering(isMoreDue: false)
        return true
      case .delivering:
        state.phase = .delivering(isMoreDue: true)
        return false
      case .ending, .ended: return false
      }
    }
    if starts { serial.async { @Sendable [self] in work() } }
  }

  /// Delivers what the queue cannot keep. A kill loses it.
  func addUnkept(_ notifications: [DueNotification]) {
    let texts = notifications.filter { $0.way == way }.map(\.text)
    state.withLock { $0.unkept += texts.prefix(Self.mostUnkept - $0.unkept.count) }
    look()
  }

  /// Waits for running deliveries. A delay is cut short, and what fails then is left to the next start.
  ///
  /// - Parameter end: In seconds on the monotonic clock.
  func finish(by end: Double) {
    state.withLock { state in
      if case .delivering = state.phase { state.phase = .ending }
    }
    stop.signal()
    let done = DispatchSemaphore(value: 0)
    serial.async { @Sendable in done.signal() }
    let isDone = done.wait(timeout: .now() + max(0, end - MonotonicClock.now())) == .success
    state.withLock { $0.phase = .ended }
    if !isDone {
      log.warning("a notification is not delivered yet; the next start tries again", metadata: ["by": "\(name)"])
    }
  }

  private var name: String { "notify.\(way.rawValue)" }

  // MARK: Work

  private func work() {
    do {
      repeat {
        while try deliverNext() {}
      } while goesOn()
    } catch {
      // Tried again with the next notification, or after the next start.
      log.debug("the notifications cannot be read", metadata: ["detail": "\(error)"])
      state.withLock { state in
        if case .delivering = state.phase { state.phase = .idle }
      }
    }
  }

  /// Something became due while the last one was looked for.
  private func goesOn() -> Bool {
    state.withLock { state in
      guard case .delivering(let isMoreDue) = state.phase else { return false }
      state.phase = isMoreDue ? .delivering(isMoreDue: false) : .idle
      return isMoreDue
    }
  }

  /// False when there is none, or the daemon ends before it is settled.
  private func deliverNext() throws -> Bool {
    guard let deliver = delivery() else {
      try forgetAll()
      return false
    }
    let (unkept, settled) = state.withLock { ($0.unkept.first, $0.settled) }
    if let unkept {
      guard isSettled(deliver, unkept) else { return false }
      state.withLock { _ = $0.unkept.removeFirst() }
      return true
    }
    guard let due = try queue.nextNotification(by: way, after: settled), isSettled(deliver, due.text) else {
      return false
    }
    state.withLock { $0.settled = due.number }
    forget(upTo: due.number)
    return true
  }

  /// Delivers or gives up. False when the daemon ends before.
  private func isSettled(_ deliver: Delivery, _ text: String) -> Bool {
    guard !hasEnded else { return false }
    var failure = deliver(text)
    for delay in Self.delays where failure != nil && !isEnding {
      _ = stop.wait(timeout: .now() + delay)
      failure = deliver(text)
    }
    // It was given up when the daemon did not wait any longer.
    guard let failure, !hasEnded else { return failure == nil }
    let isEnding = isEnding
    log.warning(
      isEnding
        ? "a notification could not be delivered; the next start tries again" : "a notification could not be delivered",
      metadata: ["by": "\(name)", "detail": "\(failure)"])
    return !isEnding
  }

  private var isEnding: Bool {
    state.withLock { state in
      switch state.phase {
      case .idle, .delivering: false
      case .ending, .ended: true
      }
    }
  }

  private var hasEnded: Bool { state.withLock { if case .ended = $0.phase { true } else { false } } }

  private func forget(upTo number: Int64) {
    guard !hasEnded else { return }
    do {
      try queue.forgetNotifications(by: way, upTo: number)
    } catch {
      // Forgotten with the next one, or delivered once more after the next start.
      log.debug("a notification cannot be forgotten", metadata: ["detail": "\(error)"])
    }
  }

  /// This way is no longer used.
  private func forgetAll() throws {
    let settled = state.withLock { state in
      state.unkept = []
      return state.settled
    }
    if try queue.nextNotification(by: way, after: settled) != nil { forget(upTo: .max) }
  }
}
