import Dispatch
package import Logging
package import RateLimit
import Registration
import RegistrationAPI
package import RegistrationQueue
import Synchronization

/// The workers, and the one place that waits: a timer that is set to when the scheduler wants to be asked again.
///
/// Nobody blocks for a permit and no worker is woken in vain: whoever changes something (a reply, keys read ahead, a
/// command, the timer) calls `pump`, which hands out as many requests as may be sent now, each to an idle worker.
package final class WorkerPool: Sendable {
  struct State {
    var scheduler: Scheduler
    var settings: APISettings
    /// Workers that may be busy at a time; those with a greater number rest.
    var size: Int
    var busy: Set<Int> = []
    var pause: Pause?
    /// Why results cannot be written, while they cannot.
    var writeFault: String?
    /// Why keys cannot be read, while they cannot.
    var readFault: String?
    var isStopping = false
    var isReading = false
    var timerAt: Seconds?
    var waitReason: String?
    var waitingSince: Seconds
    var statistics: Statistics
    /// The longest wait for another attempt that is ever set, and some more.
    var retryHorizon: Seconds
    var lastError: (at: Timestamp, message: String)?
    var limitNews = LimitNews()
  }

  /// Keys in hand, results on their way to disk among them, beyond which nothing more is sent: what a kill has sent again.
  private static let unrecordedLimit = 192
  /// Keys read ahead at once.
  private static let readAhead = 256
  /// The longest that the timer is set for: clocks can jump.
  private static let longestWait: Seconds = 30

  let queue: RegistrationQueue
  private let workers: [Worker]
  private let log: Logger
  let feeder = DispatchQueue(label: "keyreg.feeder")
  private let alarm = Mutex<Alarm?>(nil)
  let state: Mutex<State>
  private let recorder = Mutex<Recorder?>(nil)
  let changed: @Sendable () -> Void
  private let broken: @Sendable (QueueError) -> Void

  /// - Parameters:
  ///   - settled: Called after each commit that may have finished a list, on the recorder's queue.
  ///   - changed: Called after every change that status shows.
  ///   - broken: Called once when the queue cannot be used any more.
  package init(
    queue: RegistrationQueue, access: APIAccess, pacer: PacerSettings, retry: RetryPolicy, learned: LearnedLimits?,
    pause: Pause?, version: String, log: Logger, settled: @escaping @Sendable () -> Void,
    changed: @escaping @Sendable () -> Void, broken: @escaping @Sendable (QueueError) -> Void
  ) {
    self.queue = queue
    self.log = log
    self.changed = changed
    self.broken = broken
    workers = (0..<64).map { Worker(number: $0, version: version) }
    var random = SystemRandomNumberGenerator()
    let now = MonotonicClock.now()
    state = Mutex(
      State(
        scheduler: Scheduler(
          pacer: Pacer(settings: pacer, learned: learned, seed: random.next(), now: now),
          holds: Holds(retry: retry, seed: random.next()), registrar: access.registrar, canary: access.canary,
          at: Moment(now: now, wall: .now())),
        settings: access.settings, size: pacer.workers, pause: pause, waitingSince: now,
        statistics: Statistics(now: now),
        retryHorizon: Self.horizon(retry)))
    recorder.withLock { slot in
      slot = Recorder(queue: queue) { @Sendable [weak self] report in
        // First, so that whoever sees the last result on disk also sees its list on the way to its results.
        if case .recorded = report { settled() }
        self?.take(report)
      }
    }
    alarm.withLock { slot in
      slot = Alarm(label: "keyreg.pacer") { @Sendable [weak self] in
        self?.state.withLock { $0.timerAt = nil }
        self?.pump()
      }
    }
  }
}

// MARK: - Handing out

extension WorkerPool {
  /// Sends what may be sent now, and sets the timer for the rest.
  package func pump() {
    let now = MonotonicClock.now()
    let wall = Timestamp.now()
    let backlog = queue.tally.open
    let (assignments, settings, events, generation, taken, isSample, horizon) = state.withLock { state in
      var assignments: [(Int, Scheduler.Assignment)] = []
      var wakeAt: Seconds?
      var reason: String?
      hand: while let worker = (0..<state.size).first(where: { !state.busy.contains($0) }) {
        if let obstacle = Self.obstacle(state) {
          reason = obstacle
          break
        }
        let waiting = backlog - state.scheduler.inHand
        switch state.scheduler.next(now: now, backlog: waiting, wall: wall) {
        case .send(let assignment):
          state.busy.insert(worker)
          assignments.append((worker, assignment))
        case .wait(let until) where until <= now: continue
        case .wait(let until):
          wakeAt = until
          reason = state.scheduler.holds.hold?.reason.rawValue ?? "rate_limit"
          break hand
        case .waitForEvent:
          reason = state.scheduler.holds.hold?.reason.rawValue
          break hand
        }
      }
      note(reason, now: now, in: &state)
      setTimer(wakeAt, now: now, in: &state)
      var taken: Set<Int64>?
      if !state.isReading, !state.isStopping, state.scheduler.wantsKeys {
        state.isReading = true
        taken = state.scheduler.taken
      }
      let settlement = state.scheduler.takeUndelivered()
      record(settlement)
      return (
        assignments, state.settings, settlement.events, state.scheduler.generation, taken, state.scheduler.wantsSample,
        state.retryHorizon
      )
    }
    for (worker, assignment) in assignments {
      workers[worker].send(assignment.job, with: settings) { @Sendable [self] exchange in
        finish(assignment, exchange, by: worker)
      }
    }
    tell(events)
    if let taken { readAhead(except: taken, isSample: isSample, generation: generation, horizon: horizon) }
    if !assignments.isEmpty { changed() }
  }

  /// Why nothing may be sent, whatever the scheduler says.
  private static func obstacle(_ state: State) -> String? {
    if state.isStopping { return "stopping" }
    if state.pause != nil { return "paused" }
    if state.writeFault != nil || state.readFault != nil { return "disk" }
    return state.scheduler.inHand > unrecordedLimit ? "disk" : nil
  }

  private func note(_ reason: String?, now: Seconds, in state: inout State) {
    if let old = state.waitReason { state.statistics.waited(max(0, now - state.waitingSince), for: old) }
    state.waitReason = reason
    state.waitingSince = now
  }

  private func setTimer(_ wakeAt: Seconds?, now: Seconds, in state: inout State) {
    guard let wakeAt else { return }
    let at = min(wakeAt, now + Self.longestWait)
    if let set = state.timerAt, abs(set - at) < 0.0005 { return }
    state.timerAt = at
    // Rounded up, so that the scheduler is not asked a moment too early.
    alarm.withLock { $0 }?.ring(in: max(0, at - now) + 0.0002)
  }

  private func readAhead(except taken: Set<Int64>, isSample: Bool, generation: Int, horizon: Seconds) {
    feeder.async { @Sendable [self] in
      do {
        // The wait is read first: a key that becomes due between the two reads is in both, and not in neither.
        let nextWait = try queue.secondsUntilDue()
        var keys = isSample ? try queue.sampleKeys(limit: Self.readAhead, except: taken) : []
        // Where only keys that have been tried are left, they are the canaries.
        if keys.isEmpty { keys = try queue.dueKeys(limit: Self.readAhead, except: taken, horizon: horizon) }
        let isAll = keys.count < Self.readAhead
        let wait = isAll ? nextWait : nil
        let now = MonotonicClock.now()
        let nextDue = wait.map { now + min(horizon, max(0.01, $0)) }
        state.withLock { state in
          state.isReading = false
          state.readFault = nil
          state.scheduler.supply(keys, isAll: isAll, nextDue: nextDue, generation: generation)
        }
        pump()
        changed()
      } catch {
        fail(error, at: \.readFault)
        feeder.asyncAfter(deadline: .now() + 1) { @Sendable [self] in
          state.withLock { $0.isReading = false }
          pump()
        }
      }
    }
  }
}

// MARK: - Taking in

extension WorkerPool {
  /// Runs `body` behind everything that is being written now.
  func afterWrites(_ body: @escaping @Sendable () -> Void) {
    recorder.withLock { $0 }?.afterwards(body)
  }
}

extension WorkerPool {
  private func finish(_ assignment: Scheduler.Assignment, _ exchange: Exchange, by worker: Int) {
    let now = MonotonicClock.now()
    let wall = Timestamp.now()
    let (events, news) = state.withLock { state in
      state.busy.remove(worker)
      state.statistics.received(exchange, at: wall)
      if let message = exchange.verdict.trouble { state.lastError = (wall, message) }
      let settlement = state.scheduler.receive(exchange, for: assignment, now: now, wall: wall)
      record(settlement)
      return (settlement.events, state.limitNews.news(of: state.scheduler.pacer.limits))
    }
    log.debug(
      "exchange",
      metadata: [
        "key": "\(assignment.job.key.id)", "status": "\(exchange.status ?? 0)",
        "milliseconds": "\(Int(exchange.duration * 1_000))", "answer": "\(exchange.verdict.trouble ?? "registered")",
      ].merging(exchange.diagnostics.map { ($0.name, "\($0.value)") }) { first, _ in first })
    for limit in news.limits {
      var metadata: Logger.Metadata = [
        "limit": "\(limit.allowance)", "name": "\(PrintableText.escape(limit.name ?? "-"))",
        "from": "\(limit.source.rawValue)",
      ]
      if news.untold > 0 { metadata["changes_not_told"] = "\(news.untold)" }
      log.notice("the rate limit changed", metadata: metadata)
    }
    tell(events)
    pump()
    changed()
  }

  static func horizon(_ retry: RetryPolicy) -> Seconds {
    max(retry.maxDelay, retry.firstDelay, Holds.longestAsked) + 60
  }

  /// Sends results to disk. Under the lock, so that they come there in the order in which they were decided.
  func record(_ settlement: Scheduler.Settlement) {
    recorder.withLock { $0 }?.record(settlement.results)
  }

  /// Tells the journal of holds.
  func tell(_ events: [Scheduler.Event]) {
    for event in events {
      switch event {
      case .holdBegan(let hold):
        log.warning(
          "holding: only probes are sent",
          metadata: ["reason": "\(hold.reason.rawValue)", "detail": "\(hold.sentence(now: hold.since))"])
      case .holdEnded(let reason):
        log.notice("the hold is over", metadata: ["reason": "\(reason.rawValue)"])
      }
    }
  }

  private func take(_ report: Recorder.Report) {
    switch report {
    case .recorded(let results):
      let settled = results.count { $0.verdict == .registered || $0.verdict == .failed }
      let wasHeld = state.withLock { state in
        defer { state.writeFault = nil }
        state.scheduler.recorded(results)
        state.statistics.settled(settled, now: MonotonicClock.now())
        return state.writeFault != nil
      }
      if wasHeld { log.notice("the hold is over", metadata: ["reason": "disk"]) }
      pump()
    case .refused(let error): fail(error, at: \.writeFault)
    case .broken(let error): broken(error)
    }
    changed()
  }

  private func fail(_ error: any Error, at place: WritableKeyPath<State, String?>) {
    let error = error as? QueueError ?? .unexpected(error)
    guard error.kind == .disk else { return broken(error) }
    let isNews = state.withLock { state in
      defer { state[keyPath: place] = error.description }
      state.lastError = (Timestamp.now(), error.description)
      return state[keyPath: place] == nil
    }
    if isNews {
      log.error("holding: nothing is sent", metadata: ["reason": "disk", "detail": "\(error)"])
    }
    changed()
  }
}
