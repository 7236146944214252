import Dispatch
package import Logging
package import RateLimit
import Registration
import RegistrationAPI
package import RegistrationCore
package import RegistrationQueue
import Synchronization

/// The shell around the core: it tells the core what happens, and carries out what the core wants.
///
/// Whoever has news (a worker, the recorder, the feeder, the alarm) posts it and goes on. One serial queue hands what has
/// gathered to the core in a batch. No worker ever waits for a decision.
package final class WorkerPool: Sendable {
  struct Shell {
    var core: Core
    var settings: APISettings
    /// Workers without a request; the last one back goes first, since its connection is the warmest.
    var idle = [Int]((0..<64).reversed())
    var statistics: Statistics
    var lastError: (at: Timestamp, message: String)?
    /// Since when time has been counted for the present standstill.
    var standingSince: Seconds
  }

  /// Keys read ahead at once.
  private static let readAhead = 256
  /// The longest that the alarm is set for, in seconds: clocks can jump.
  private static let longestWait: Seconds = 30

  let queue: RegistrationQueue
  let shell: Mutex<Shell>
  let recorder: Recorder
  private let inbox: Inbox
  private let alarm: Alarm
  private let feeder = DispatchQueue(label: "keyreg.feeder")
  private let workers: [Worker]
  let log: Logger
  private let changed: @Sendable () -> Void
  private let broken: @Sendable (QueueError) -> Void

  /// - Parameters:
  ///   - settled: Called after each commit that may have finished a list, on the recorder's queue.
  ///   - changed: Called after every change that status shows.
  ///   - broken: Called once when the queue cannot be used any more.
  package init(
    queue: RegistrationQueue, access: APIAccess, pacer: PacerSettings, retry: RetryPolicy, learned: LearnedLimits?,
    pause: Pause?, asked: AskedToWait?, version: String, log: Logger, settled: @escaping @Sendable () -> Void,
    changed: @escaping @Sendable () -> Void, broken: @escaping @Sendable (QueueError) -> Void
  ) {
    self.queue = queue
    self.log = log
    self.changed = changed
    self.broken = broken
    workers = (0..<64).map { Worker(number: $0, version: version) }
    var random = SystemRandomNumberGenerator()
    let moment = Moment.now()
    shell = Mutex(
      Shell(
        core: Core(
          pacer: Pacer(settings: pacer, learned: learned, seed: random.next(), now: moment.now),
          holds: Holds(retry: retry, seed: random.next()),
          settings: access.coreSettings(pacer: pacer, retry: retry, isNew: true), pause: pause, asked: asked,
          at: moment),
        settings: access.settings, statistics: Statistics(now: moment.now), standingSince: moment.now))
    let inbox = Inbox(serial: DispatchQueue(label: "keyreg.core"))
    self.inbox = inbox
    alarm = Alarm(label: "keyreg.pacer") { @Sendable in inbox.post(.alarm) }
    recorder = Recorder(queue: queue) { @Sendable report in
      switch report {
      case .recorded(let results):
        // First, so that whoever sees the last result on disk also sees its list on the way to its results.
        settled()
        inbox.post(.committed(results))
      case .refused(let error): inbox.post(.storeFailed(.results, error.description))
      case .broken(let error): broken(error)
      }
    }
    inbox.open { @Sendable [weak self] in self?.drain() }
  }

  /// Posts `event` and has it dealt with before this returns.
  func tell(_ event: Event) {
    inbox.post(event)
    drain()
  }

  /// Hands what was posted to the core, and does what the core wants.
  package func drain() {
    let notices = shell.withLock { shell in
      var actions: [Action] = []
      for mail in inbox.takeAll() { actions += take(mail, &shell) }
      let moment = Moment.now()
      let before = shell.core.standstill
      actions += shell.core.take(.tick(open: queue.tally.open), at: moment)
      if let name = before?.name { shell.statistics.waited(max(0, moment.now - shell.standingSince), for: name) }
      shell.standingSince = moment.now
      return actions.compactMap { carryOut($0, &shell, at: moment) }
    }
    for notice in notices { tell(notice) }
    changed()
  }

  private func take(_ mail: Inbox.Mail, _ shell: inout Shell) -> [Action] {
    switch mail.content {
    case .exchange(let exchange, let order, let worker):
      shell.idle.append(worker)
      shell.statistics.received(exchange, at: mail.moment.wall)
      if let message = exchange.verdict.trouble { shell.lastError = (mail.moment.wall, message) }
      return shell.core.take(.reply(Answer(exchange.verdict, paced: exchange.paced), order: order), at: mail.moment)
    case .event(let event):
      switch event {
      case .committed(let results):
        shell.statistics.settled(
          results.count { $0.verdict == .registered || $0.verdict == .failed }, now: mail.moment.now)
      case .storeFailed(_, let words): shell.lastError = (mail.moment.wall, words)
      default: break
      }
      return shell.core.take(event, at: mail.moment)
    }
  }

  /// Starts what the core wants. Returns what is to be told once the lock is free.
  private func carryOut(_ action: Action, _ shell: inout Shell, at moment: Moment) -> Notice? {
    switch action {
    case .send(let job):
      // There is one: the core has no more requests under way than there are workers.
      guard let worker = shell.idle.popLast() else { return nil }
      workers[worker].send(job.key.id, with: shell.settings) { @Sendable [inbox, log] exchange in
        inbox.post(.exchange(exchange, order: job.order, worker: worker))
        log.exchange(exchange, of: job.key.id)
      }
    case .record(let results): recorder.record(results)
    case .read(let read): feeder.async { @Sendable [self] in feed(read) }
    // Rounded up, so that the core is not asked a moment too early.
    case .wake(let at): alarm.ring(in: min(max(0, at - moment.now) + 0.0002, Self.longestWait))
    case .tell(let notice): return notice
    }
    return nil
  }

  private func feed(_ read: KeyRead) {
    do {
      // The wait is read first: a key that becomes due between the two reads is in both, and not in neither.
      let nextWait = try queue.secondsUntilDue()
      var keys = read.isSample ? try queue.sampleKeys(limit: Self.readAhead, except: read.except) : []
      // Where only keys that have been tried are left, they are the canaries.
      if keys.isEmpty { keys = try queue.dueKeys(limit: Self.readAhead, except: read.except, horizon: read.horizon) }
      let isAll = keys.count < Self.readAhead
      let now = MonotonicClock.now()
      let nextDue = (isAll ? nextWait : nil).map { now + min(read.horizon, max(0.01, $0)) }
      inbox.post(.keys(KeyPage(keys, isAll: isAll, nextDue: nextDue, generation: read.generation)))
    } catch {
      let error = error as? QueueError ?? .unexpected(error)
      if error.kind == .disk { inbox.post(.storeFailed(.keys, error.description)) } else { broken(error) }
    }
  }

  /// Calls `done` once the recorder, the feeder and the core have each had a turn.
  package func heartbeat(_ done: @escaping @Sendable () -> Void) {
    recorder.afterwards { @Sendable [self] in
      feeder.async { @Sendable [self] in
        drain()
        done()
      }
    }
  }
}
