import Dispatch
package import Logging
package import RateLimit
import Registration
import RegistrationAPI
package import RegistrationCore
package import RegistrationQueue
import Synchronization

/// The workers around the core: passes events to the core, and carries out its actions.
///
/// Workers, the recorder, the feeder and the alarm post their news and go on. Everything that has collected is passed to
/// the core in a batch: by a worker that has a reply, if no other thread is doing it, or else by a serial queue. So a worker
/// usually gets its next request without switching threads, and no worker ever waits for a decision.
package final class WorkerPool: Sendable {
  /// Maximum workers that can be configured.
  private static let size = 64
  /// The longest time for which the alarm is set, in seconds: clocks can jump.
  private static let longestWait: Seconds = 30

  let queue: RegistrationQueue
  private let shell: Mutex<Shell>
  private let inbox: Inbox
  private let recorder: Recorder
  private let feeder: Feeder
  private let reporter: NoticeReporter
  private let alarm: Alarm
  private let workers: [Worker]
  private let log: Logger
  /// For cancelling keys.
  private let cancels = DispatchQueue(label: "keyreg.cancels")
  private let settled: @Sendable () -> Void
  private let changed: @Sendable () -> Void

  /// - Parameters:
  ///   - sent: How many seconds ago requests of an earlier run were answered that may still count, the oldest first.
  ///   - settled: Called after each commit that may have finished a list, on the recorder's queue.
  ///   - changed: Called after every change that status shows.
  ///   - broken: Called once when the queue can no longer be used.
  package init(
    queue: RegistrationQueue, access: APIAccess, pacer: PacerSettings, retry: RetryPolicy, learned: LearnedLimits?,
    sent: [Seconds] = [], evidence: LimitEvidence, pause: Pause?, asked: AskedToWait?, version: String, log: Logger,
    settled: @escaping @Sendable () -> Void,
    changed: @escaping @Sendable () -> Void, broken: @escaping @Sendable (QueueError) -> Void
  ) {
    self.queue = queue
    self.log = log
    self.settled = settled
    self.changed = changed
    workers = (0..<Self.size).map { Worker(number: $0, version: version) }
    var random = SystemRandomNumberGenerator()
    let moment = Moment.now()
    let core = Core(
      pacer: Pacer(
        settings: pacer, learned: learned, sent: sent.map { moment.now - $0 }, seed: random.next(), now: moment.now),
      holds: Holds(retry: retry, seed: random.next()),
      settings: access.coreSettings(pacer: pacer, retry: retry, change: .endpoint), pause: pause, asked: asked,
      told: evidence.limits, at: moment)
    shell = Mutex(
      Shell(
        core: core, settings: access.settings, evidence: evidence, workers: Self.size, lastSuccess: queue.lastSuccess,
        now: moment.now))
    let inbox = Inbox(serial: DispatchQueue(label: "keyreg.core"))
    self.inbox = inbox
    alarm = Alarm(label: "keyreg.pacer") { @Sendable _ in inbox.post(.alarm) }
    feeder = Feeder(queue: queue, report: { @Sendable in inbox.post($0) }, broken: broken)
    recorder = Recorder(queue: queue) { @Sendable report in
      switch report {
      case .recorded(let results):
        // First, so that a reader of the last result on disk also sees that the list's results are due.
        settled()
        inbox.post(.committed(results))
      case .refused(let error): inbox.post(.storeFailed(DiskFault(.results, error.description)))
      case .broken(let error): broken(error)
      }
    }
    reporter = NoticeReporter(queue: queue, recorder: recorder, log: log)
    inbox.open { @Sendable [weak self] in self?.drain() }
  }

  /// Passes what was posted to the core, and carries out its actions.
  package func drain() {
    handOut(shell.withLock { drain(&$0) })
    drainRest()
    changed()
  }

  /// Posts `event` and processes it before returning.
  func tell(_ event: Event) {
    inbox.put(Inbox.Mail(.event(event)))
    drain()
  }

  /// Replaces the settings here and in the core in one step: no request is sent with settings of another epoch.
  ///
  /// - Parameter news: Makes the event for the core from the settings that were in force.
  func replace(_ settings: APISettings, news: (APISettings) -> Event) {
    let requests = shell.withLock { shell in
      inbox.put(Inbox.Mail(.event(news(shell.settings))))
      shell.apply(settings)
      return drain(&shell)
    }
    handOut(requests)
    drainRest()
    changed()
  }

  /// Looks at the shell, or changes it.
  func withShell<Result: Sendable>(_ body: (inout Shell) -> Result) -> Result {
    let result = shell.withLock { body(&$0) }
    drainRest()
    return result
  }

  /// Processes what others posted while they could not take the lock. Everyone who has held it checks again afterwards,
  /// so nothing is left behind and nobody waits.
  private func drainRest() {
    while inbox.hasMail {
      guard let requests = shell.withLockIfAvailable({ drain(&$0) }) else { return }
      handOut(requests)
    }
  }

  /// A worker has a reply. Returns its next request, if there is one right away.
  private func next(_ worker: Int, after exchange: Exchange, of job: Job) -> Assignment? {
    defer { changed() }
    log.exchange(exchange, of: job.key.id)
    let mail = Inbox.Mail(.exchange(exchange, order: job.order, worker: worker))
    if let requests = shell.withLockIfAvailable({ drain(&$0, and: mail) }) {
      handOut(requests.filter { $0.worker != worker })
      drainRest()
      return requests.first { $0.worker == worker }?.assignment
    }
    inbox.put(mail)
    drainRest()
    return nil
  }

  /// A request, and the worker that is to send it.
  private typealias Request = (worker: Int, assignment: Assignment)

  /// Passes what was posted to the core, then `own`, and carries out the actions. Requests are returned, to be handed out
  /// when the lock is free again: waking a thread takes as long as a decision.
  private func drain(_ shell: inout Shell, and own: Inbox.Mail? = nil) -> [Request] {
    let news = inbox.takeAll()
    var actions = news.flatMap { shell.take($0) }
    if let own { actions += shell.take(own) }
    let moment = Moment.now()
    actions += shell.tick(open: queue.tally.open, at: moment)
    if news.contains(where: \.isCommit) { cancelStopped() }
    cancelReturned(&shell)
    var requests: [Request] = []
    for action in actions {
      switch action {
      case .send(let job): requests.append((shell.nextWorker(), Assignment(job: job, settings: shell.settings)))
      case .record(let results): recorder.record(results)
      case .read(let read): feeder.feed(read)
      // Rounded up, so that the core is not asked a moment too early.
      case .wake(let at): alarm.ring(in: min(max(0, at - moment.now) + 0.0002, Self.longestWait))
      case .tell(let notice): reporter.report(notice)
      }
    }
    return requests
  }

  /// Cancels the open keys of lists that were stopped.
  private func cancelStopped() {
    guard queue.takeStops() else { return }
    cancels.async { @Sendable [self] in
      // The recorder says what is wrong with the disk. They are cancelled after the next commit, or by the next start.
      try? queue.finishCancels(at: .now(), step: keysChanged, inFlight: rowsInFlight)
      keysChanged()
      settled()
    }
  }

  /// Cancels keys of cancelled lists that are back without an outcome.
  private func cancelReturned(_ shell: inout Shell) {
    guard queue.hasReturned(isInFlight: { shell.core.ledger.isUndecided($0) }) else { return }
    cancels.async { @Sendable [self] in
      let undecided = withShell { $0.core.ledger.undecided }
      guard (try? queue.cancelReturned(at: .now(), isInFlight: undecided.contains)) != nil else { return }
      keysChanged()
      settled()
    }
  }

  private func handOut(_ requests: [Request]) {
    for (worker, assignment) in requests {
      workers[worker].work(on: assignment) { @Sendable [self] exchange, job in next(worker, after: exchange, of: job) }
    }
  }

  /// Calls `done` once the recorder, the feeder and the core have each had a turn.
  package func heartbeat(_ done: @escaping @Sendable () -> Void) {
    recorder.afterwards { @Sendable [self] in
      feeder.afterwards { @Sendable [self] in
        drain()
        done()
      }
    }
  }
}
