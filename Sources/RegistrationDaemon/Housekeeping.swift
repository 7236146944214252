import Dispatch
import Synchronization
import Systemd

/// What is done from time to time: heartbeats, the line for systemd, sweeping the spool, keeping what was learned, and
/// noticing that everything is done.
///
/// The timer itself only beats and speaks to systemd, and nothing that it does waits for a disk. Everything else is a
/// chore, on a queue of its own: a file system that hangs is no reason to miss a heartbeat.
final class Housekeeping: Sendable {
  private struct State {
    var statusLine = ""
    var isBeating = false
    /// Seconds of the monotonic clock at which each chore was done last.
    var done: [Chore: Double] = [:]
    /// Chores that wait for their turn or are being done.
    var underWay: Set<Chore> = []
  }

  private enum Chore: CaseIterable {
    case watchClock, keepLearned, tidyQueue, checkQueue, sweepSpool
  }

  private let daemon: Daemon
  private let notifier: ServiceNotifier
  private let alarm = Mutex<Alarm?>(nil)
  private let endAlarm = Mutex<Alarm?>(nil)
  private let state = Mutex(State())
  private let untilDone: Bool
  /// Seconds between heartbeats: well within what systemd's watchdog allows, and few enough to let a machine sleep.
  private let beatInterval: Double

  /// Chores wait for disks of their own: the state directory's, the spool's.
  private let queueChores = DispatchQueue(label: "keyreg.chores.queue")
  private let spoolChores = DispatchQueue(label: "keyreg.chores.spool")

  /// Seconds between two looks for the end, when that is what is waited for.
  private static let endInterval = 0.25

  init(daemon: Daemon, notifier: ServiceNotifier, _ options: Daemon.Options) {
    self.daemon = daemon
    self.notifier = notifier
    untilDone = options.untilDone
    let allowed = options.watchdog.map { Double($0.period.components.seconds) } ?? 2
    beatInterval = min(2, max(0.5, allowed))
  }

  func start() {
    let now = MonotonicClock.now()
    // Swept at the start too, for daemons that never run for an hour.
    state.withLock { $0.done = [.watchClock: now, .keepLearned: now, .tidyQueue: now, .checkQueue: now] }
    let alarm = Alarm(label: "keyreg.housekeeping") { @Sendable [weak self] in self?.tick() }
    alarm.ring(every: beatInterval)
    self.alarm.withLock { $0 = alarm }
    guard untilDone else { return }
    let endAlarm = Alarm(label: "keyreg.housekeeping.end") { @Sendable [weak self] in self?.lookForEnd() }
    endAlarm.ring(every: Self.endInterval)
    self.endAlarm.withLock { $0 = endAlarm }
  }

  func stop() {
    alarm.withLock { $0 }?.cancel()
    endAlarm.withLock { $0 }?.cancel()
  }

  private func tick() {
    beat()
    tellSystemd()
    daemon.watchSpool()
    for chore in Chore.allCases { takeUp(chore, now: MonotonicClock.now()) }
  }

  private func lookForEnd() {
    if daemon.isDone { daemon.end(.done(daemon.balance)) }
  }

  private func tellSystemd() {
    let line = daemon.statusLine()
    let isNews = state.withLock { state in
      defer { state.statusLine = line }
      return state.statusLine != line
    }
    if isNews { notifier.status(line) }
  }

  /// A beat counts when it has passed through the recorder, the reader of keys and the pacer. While the queue is written
  /// back, the recorder waits for that, and so it is a reason to wait.
  private func beat() {
    let starts = state.withLock { state in
      defer { state.isBeating = true }
      return !state.isBeating
    }
    guard starts else {
      if daemon.isTidying { daemon.beat() }
      return
    }
    daemon.pool.heartbeat { @Sendable [weak self] in
      guard let self else { return }
      state.withLock { $0.isBeating = false }
      daemon.beat()
    }
  }

  // MARK: Chores

  /// Seconds between two times.
  private func interval(of chore: Chore) -> Double {
    switch chore {
    case .watchClock: 1
    case .keepLearned: 60
    case .tidyQueue: 600
    case .checkQueue: 3_600
    // More often where things are kept for less than an hour.
    case .sweepSpool: Double(min(3_600, max(60, daemon.settings.keep / 1_000)))
    }
  }

  private func takeUp(_ chore: Chore, now: Double) {
    let interval = interval(of: chore)
    let isDue = state.withLock { state in
      guard now - state.done[chore, default: -.infinity] >= interval else { return false }
      guard state.underWay.insert(chore).inserted else { return false }
      state.done[chore] = now
      return true
    }
    guard isDue else { return }
    (chore == .sweepSpool ? spoolChores : queueChores).async { @Sendable [self] in
      switch chore {
      case .watchClock: daemon.watchClock()
      case .keepLearned: daemon.keepLearned()
      case .tidyQueue: if daemon.status().state == .idle { daemon.tidyQueue() }
      case .checkQueue: daemon.checkQueue()
      case .sweepSpool: daemon.sweepSpool()
      }
      _ = state.withLock { $0.underWay.remove(chore) }
    }
  }
}
