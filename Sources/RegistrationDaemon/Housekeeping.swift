import Dispatch
import Synchronization
import Systemd

/// What is done from time to time: heartbeats, the line for systemd, sweeping the spool, keeping what was learned, and
/// noticing that everything is done.
final class Housekeeping: Sendable {
  private struct State {
    var ticks = 0
    var statusLine = ""
    var isBeating = false
  }

  private let daemon: Daemon
  private let notifier: ServiceNotifier
  private let alarm = Mutex<Alarm?>(nil)
  private let state = Mutex(State())
  private let sweeps = DispatchQueue(label: "keyreg.sweep")

  /// Milliseconds between ticks.
  private static let interval = 250
  private let untilDone: Bool
  /// Seconds between heartbeats: well within what systemd's watchdog allows.
  private let beatInterval: Int

  init(daemon: Daemon, notifier: ServiceNotifier, _ options: Daemon.Options) {
    self.daemon = daemon
    self.notifier = notifier
    untilDone = options.untilDone
    let allowed = options.watchdog.map { $0.period.components.seconds } ?? 2
    beatInterval = Int(min(2, max(1, allowed)))
  }

  func start() {
    let alarm = Alarm(label: "keyreg.housekeeping") { @Sendable [weak self] in self?.tick() }
    alarm.ring(every: Double(Self.interval) / 1_000)
    self.alarm.withLock { $0 = alarm }
  }

  func stop() {
    alarm.withLock { $0 }?.cancel()
  }

  private func tick() {
    let ticks = state.withLock { state in
      state.ticks += 1
      return state.ticks
    }
    if untilDone, daemon.isDone { daemon.end(.done(failed: daemon.queue.tally[.failed])) }
    if every(seconds: 1, ticks) { tellSystemd() }
    if every(seconds: beatInterval, ticks) { beat() }
    if every(seconds: 60, ticks) { daemon.keepLearned() }
    if every(seconds: 600, ticks), daemon.status().state == .idle { daemon.tidyQueue() }
    if every(seconds: 10, ticks) { sweeps.async { @Sendable [daemon] in daemon.watchClock() } }
    if every(seconds: 3_600, ticks) { daemon.checkQueue() }
    if ticks == 1 || every(seconds: sweepInterval, ticks) { sweep() }
  }

  /// On a queue of its own: a large folder on a slow disk is no reason to miss a heartbeat.
  private func sweep() {
    sweeps.async { @Sendable [daemon] in daemon.sweepSpool() }
  }

  /// Once an hour, and at the start, for those that never run so long. More often where things are kept for less.
  private var sweepInterval: Int { min(3_600, max(60, daemon.settings.keep / 1_000)) }

  private func every(seconds: Int, _ ticks: Int) -> Bool {
    ticks % (seconds * 1_000 / Self.interval) == 0
  }

  private func tellSystemd() {
    let line = daemon.statusLine()
    let isNews = state.withLock { state in
      defer { state.statusLine = line }
      return state.statusLine != line
    }
    if isNews { notifier.status(line) }
  }

  /// A beat counts when it has passed through the recorder, the reader of keys and the pacer.
  private func beat() {
    let starts = state.withLock { state in
      defer { state.isBeating = true }
      return !state.isBeating
    }
    guard starts else { return }
    daemon.pool.heartbeat { @Sendable [weak self] in
      guard let self else { return }
      state.withLock { $0.isBeating = false }
      daemon.beat()
    }
  }
}
