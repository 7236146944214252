import ControlAPI
import Dispatch
import Logging
import Synchronization
import Systemd

/// Periodic work: heartbeats, the status line for systemd, sweeping the spool, storing what was learned, and noticing
/// that everything is done.
///
/// The timer itself only beats and talks to systemd, and never waits for a disk. Everything else is a chore on a
/// dispatch queue of its own: a hanging file system must not delay a heartbeat.
final class Housekeeping: Sendable {
  private struct State {
    var statusLine = ""
    var isBeating = false
    /// When each chore was last done, in seconds on the monotonic clock.
    var done: [Chore: Double] = [:]
    /// Chores that are waiting or being done.
    var underWay: Set<Chore> = []
    /// Why no command can reach the daemon.
    var socketFault: String?
  }

  private enum Chore: CaseIterable {
    case announce, watchClock, watchFiles, watchSocket, keepLearned, keepHistory, tidyQueue, checkQueue, sweepSpool
  }

  private let pool: WorkerPool
  private let queue: QueueUpkeep
  private let spool: SpoolUpkeep
  private let heartbeat: Heartbeat
  private let reports: Reports
  private let announcer: Announcer
  private let completion: Completion
  private let server: ControlServer
  private let settings: SettingsInForce
  private let notifier: ServiceNotifier
  private let stopRequest: StopRequest
  private let log: Logger
  private let state = Mutex(State())
  private let untilDone: Bool
  /// The longest time between two heartbeats that systemd's watchdog allows, in seconds.
  private let longestBeat: Double

  /// Chores wait for different disks: the state directory's and the spool's.
  private let queueChores = DispatchQueue(label: "keyreg.chores.queue")
  private let spoolChores = DispatchQueue(label: "keyreg.chores.spool")

  /// Seconds between heartbeats while there is work.
  private static let beatInterval = 2.0
  /// The same while there is none, so that an idle machine is seldom woken.
  private static let idleInterval = 10.0
  /// Seconds between checks for the end, if the daemon runs until done.
  private static let endInterval = 0.25

  init(
    pool: WorkerPool, queue: QueueUpkeep, spool: SpoolUpkeep, heartbeat: Heartbeat, reports: Reports,
    announcer: Announcer, completion: Completion, server: ControlServer, settings: SettingsInForce,
    notifier: ServiceNotifier, stopRequest: StopRequest, log: Logger, _ options: Daemon.Options
  ) {
    self.pool = pool
    self.queue = queue
    self.spool = spool
    self.heartbeat = heartbeat
    self.reports = reports
    self.announcer = announcer
    self.completion = completion
    self.server = server
    self.settings = settings
    self.notifier = notifier
    self.stopRequest = stopRequest
    self.log = log
    untilDone = options.untilDone
    longestBeat = max(0.5, options.watchdog.map { Double($0.period.components.seconds) } ?? .infinity)
  }

  /// Begins, and goes on until the alarms are cancelled.
  func start() -> [Alarm] {
    let now = MonotonicClock.now()
    // The spool is swept at the start too, for daemons that never run for an hour.
    state.withLock {
      $0.done = [.watchClock: now, .keepLearned: now, .keepHistory: now, .tidyQueue: now, .checkQueue: now]
    }
    let alarm = Alarm(label: "keyreg.housekeeping") { @Sendable [weak self] alarm in
      guard let self else { return }
      alarm.ring(in: tick())
    }
    alarm.ring(in: 0)
    guard untilDone else { return [alarm] }
    let endAlarm = Alarm(label: "keyreg.housekeeping.end") { @Sendable [weak self] _ in self?.lookForEnd() }
    endAlarm.ring(every: Self.endInterval)
    return [alarm, endAlarm]
  }

  /// Returns the seconds until the next one.
  private func tick() -> Double {
    beat()
    let status = reports.momentaryStatus()
    reports.noteHistory()
    tellSystemd(status)
    spool.watch()
    for chore in Chore.allCases { takeUp(chore, now: MonotonicClock.now()) }
    return min(status.state == .idle || status.state == .paused ? Self.idleInterval : Self.beatInterval, longestBeat)
  }

  private func lookForEnd() {
    if completion.isDone { stopRequest.make(.done(completion.balance)) }
  }

  private func tellSystemd(_ status: StatusDocument) {
    let line = Reports.line(status)
    let isNews = state.withLock { state in
      defer { state.statusLine = line }
      return state.statusLine != line
    }
    if isNews { notifier.status(line) }
  }

  /// A beat counts once it has passed through the recorder, the reader of keys and the pacer. While the queue is
  /// written back, the recorder waits for that, which is not a fault.
  private func beat() {
    let starts = state.withLock { state in
      defer { state.isBeating = true }
      return !state.isBeating
    }
    guard starts else {
      if queue.isTidying { heartbeat.beat() }
      return
    }
    pool.heartbeat { @Sendable [weak self] in
      guard let self else { return }
      state.withLock { $0.isBeating = false }
      heartbeat.beat()
    }
  }

  // MARK: Chores

  /// Seconds between two runs.
  private func interval(of chore: Chore) -> Double {
    switch chore {
    case .announce, .watchClock, .watchFiles, .watchSocket: 1
    case .keepLearned, .keepHistory: 60
    case .tidyQueue: 600
    case .checkQueue: 3_600
    // More often if files are kept for less than an hour.
    case .sweepSpool: Double(min(3_600, max(60, settings.current.keep / 1_000)))
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
      case .announce: announcer.look(reports.momentaryStatus()) { try reports.unread() }
      case .watchClock: queue.watchClock()
      case .watchFiles: queue.watchFiles()
      case .watchSocket: watchSocket()
      case .keepLearned: queue.keepLearned()
      case .keepHistory: queue.keepHistory()
      case .tidyQueue: if reports.status().state == .idle { queue.tidy() }
      case .checkQueue: queue.checkQueue()
      case .sweepSpool: spool.sweep(keep: settings.current.keep)
      }
      _ = state.withLock { $0.underWay.remove(chore) }
    }
  }

  /// A lost socket is replaced. Otherwise no command would reach the daemon until its next start.
  private func watchSocket() {
    var fault: String?
    do {
      if try server.replaceLostSocket() { log.warning("the control socket was removed; it was created again") }
    } catch {
      fault = "\(error)"
    }
    let isNews = state.withLock { state in
      defer { state.socketFault = fault }
      return state.socketFault != fault
    }
    if isNews, let fault {
      log.warning(
        "the control socket was removed and cannot be created again; will try again", metadata: ["detail": "\(fault)"])
    }
  }
}
