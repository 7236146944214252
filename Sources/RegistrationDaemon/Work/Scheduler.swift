package import RateLimit
package import Registration
package import RegistrationAPI
package import RegistrationQueue

/// Which key is sent next, and when: the due keys, the pacer and the holds in one value.
///
/// Pure: times, keys and replies go in; assignments and results come out. `WorkerPool` holds it under a lock and does the
/// waiting, the sending and the recording.
package struct Scheduler: Sendable {
  /// A key, and the permit under which it is sent.
  package struct Assignment: Sendable {
    package var job: Job
    package var permit: Permit
  }

  package enum Next: Sendable {
    case send(Assignment)
    /// Nothing before this time, in seconds of the monotonic clock.
    case wait(until: Seconds)
    /// Nothing before something else happens: a reply, keys, a command.
    case waitForEvent
  }

  /// What a reply led to.
  package struct Settlement: Sendable {
    package var results: [KeyResult] = []
    package var events: [Event] = []
  }

  package enum Event: Sendable, Hashable {
    case holdBegan(Holds.Reason, detail: String)
    case holdEnded(Holds.Reason)
  }

  package private(set) var pacer: Pacer
  package private(set) var holds: Holds
  /// Requests under way, by their order.
  package private(set) var inFlight: [Int: Job] = [:]
  /// Requests sent since the start.
  package private(set) var sent = 0

  /// Due keys in order, read ahead.
  private var ready: [DueKey] = []
  private var nextReady = 0
  /// Keys that were sent and are due again at once: after a 429, or when a trouble was not theirs.
  private var returned: [DueKey] = []
  /// Keys whose verdict waits for a canary.
  private var kept: Set<Int64> = []
  /// Keys whose result is not on disk yet.
  private var unrecorded: Set<Int64> = []
  /// A key that was registered, the best of canaries.
  private var knownGood: DueKey?
  /// It was refused itself and takes turns with other keys: it may have become bad since.
  private var sparesKnownGood = false
  /// Whether a read has shown that no more keys are due than are here.
  private var isDrained = false
  /// When the next key that waits for another attempt is due.
  private var nextDue: Seconds?
  /// What `next` has decided about keys besides its answer.
  private var undelivered = Settlement()
  /// Counts what makes keys that were read ahead stale.
  package private(set) var generation = 0
  /// Counts changes of the keys themselves: lists that came, went or were cancelled.
  private var reading = 0

  /// - Parameter canary: A key that an earlier run has registered.
  package init(pacer: Pacer, holds: Holds, canary: DueKey? = nil) {
    self.pacer = pacer
    self.holds = holds
    knownGood = canary
  }

  /// Keys in the memory of this process that are neither due nor recorded: sent, kept or on their way to disk.
  package var inHand: Int { inFlight.count + kept.count + unrecorded.count }

  /// No reply is awaited and every result is on disk. Keys that wait for a canary's word are simply still open.
  package var isSettled: Bool { inFlight.isEmpty && unrecorded.isEmpty }
}

// MARK: - Keys

extension Scheduler {
  /// Whether more keys should be read ahead.
  package var wantsKeys: Bool { !isDrained && ready.count - nextReady < 32 }

  /// Rows that must not be read again.
  package var taken: Set<Int64> {
    var rows = kept.union(unrecorded)
    for job in inFlight.values where !job.isKnownGood { rows.insert(job.key.row) }
    rows.formUnion(returned.map(\.row))
    rows.formUnion(ready[nextReady...].map(\.row))
    return rows
  }

  /// Takes keys read ahead, unless what they were read from has changed since.
  ///
  /// - Parameters:
  ///   - isAll: There are no more that are due.
  ///   - nextDue: When the next one is, nil when none waits.
  package mutating func supply(_ keys: [DueKey], isAll: Bool, nextDue: Seconds?, generation: Int) {
    guard generation == self.generation else { return }
    ready.removeFirst(nextReady)
    nextReady = 0
    ready += keys
    isDrained = isAll
    if let nextDue { self.nextDue = min(nextDue, self.nextDue ?? nextDue) }
  }

  /// Keys came, went or changed their order: what was read ahead is read anew.
  package mutating func keysChanged() {
    generation += 1
    reading += 1
    ready.removeAll()
    returned.removeAll()
    nextReady = 0
    isDrained = false
  }

  /// Results are on disk.
  package mutating func recorded(_ results: [KeyResult]) {
    for result in results {
      switch result.verdict {
      case .registered, .failed: unrecorded.remove(result.row)
      case .retry, .postpone:
        unrecorded.remove(result.row)
        generation += 1
        isDrained = false
      case .refund:
        generation += 1
        isDrained = false
      }
    }
  }

  private mutating func takeKey() -> DueKey? {
    if let key = returned.popLast() { return key }
    guard nextReady < ready.count else { return nil }
    defer { nextReady += 1 }
    return ready[nextReady]
  }

  private var hasKey: Bool { !returned.isEmpty || nextReady < ready.count }
}

// MARK: - Sending

extension Scheduler {
  /// Decides about the next request. On `.send` the key is in flight.
  ///
  /// - Parameters:
  ///   - backlog: Keys that wait in the whole queue, for the pacer's plan.
  ///   - wall: The present time, for the record.
  package mutating func next(now: Seconds, backlog: Int, wall: Timestamp) -> Next {
    if let due = nextDue, now >= due {
      nextDue = nil
      isDrained = false
    }
    var isProbe = false
    switch holds.gate(now: now) {
    case .open: break
    case .probe: isProbe = true
    case .closed(let until): return until.map(Next.wait) ?? .waitForEvent
    }
    guard hasKey || (isProbe && knownGood != nil) else { return withoutKey(isProbe: isProbe, now: now) }
    switch pacer.next(now: now, backlog: max(backlog, 1)) {
    case .wait(let until): return .wait(until: until)
    case .awaitReply: return .waitForEvent
    case .send: break
    }
    let isKnownGood = isProbe && knownGood != nil && !(sparesKnownGood && hasKey)
    guard let key = isKnownGood ? knownGood : takeKey() else { return .waitForEvent }
    sent += 1
    if isProbe { holds.probeSent() }
    var job = Job(key: key, order: sent, sentAt: wall, isProbe: isProbe, isKnownGood: isKnownGood)
    job.reading = reading
    inFlight[sent] = job
    return .send(Assignment(job: job, permit: pacer.send(now: now)))
  }

  /// What `next` has decided about keys that wait for a canary; to be fetched after it.
  package mutating func takeUndelivered() -> Settlement {
    defer { undelivered = Settlement() }
    return undelivered
  }

  private mutating func withoutKey(isProbe: Bool, now: Seconds) -> Next {
    // While a read may bring a key, or a reply is to come, it is too early to say that there is no other.
    if isDrained, inFlight.isEmpty, holds.waiting > 0 {
      if isProbe {
        var settlement = takeUndelivered()
        apply(holds.noCanary(now: now), at: nil, now: now, to: &settlement)
        undelivered = settlement
        return .wait(until: now)
      }
      if unrecorded.isEmpty {
        holds.idle(now: now)
        return .wait(until: now)
      }
    }
    return nextDue.map(Next.wait) ?? .waitForEvent
  }
}

// MARK: - Replies

extension Scheduler {
  /// The longest Retry-After of a failing server that is obeyed, in seconds.
  static let longestAsked: Seconds = 300

  /// Takes in the reply to an assignment.
  ///
  /// - Parameter wall: The present time, for the record and for due times.
  package mutating func receive(
    _ exchange: Exchange, for assignment: Assignment, now: Seconds, wall: Timestamp
  ) -> Settlement {
    let job = assignment.job
    inFlight[job.order] = nil
    pacer.receive(exchange.paced, for: assignment.permit, now: now)
    noteCanary(exchange.verdict, job)
    var settlement = Settlement()
    switch exchange.verdict {
    case .registered where !job.isKnownGood:
      note(
        KeyResult(row: job.key.row, verdict: .registered, httpStatus: exchange.status, sentAt: job.sentAt, at: wall),
        in: &settlement)
    case .failed(let status, let title, let detail) where !job.isKnownGood:
      note(Fault(status: status, title: title, detail: detail).result(of: job, .failed, at: wall), in: &settlement)
    default: break
    }
    // RFC 9110 lets a server in trouble say when to come again; a wait beyond the longest of ours is not believed.
    let atLeast =
      exchange.paced.kind == .serverError ? min(exchange.paced.reading?.retryAfter ?? 0, Self.longestAsked) : 0
    let effects = holds.observe(exchange.verdict, for: job, sent: sent, now: now)
    apply(effects, at: wall, now: now, atLeast: atLeast, to: &settlement)
    return settlement
  }

  /// What a reply says of the known key.
  private mutating func noteCanary(_ verdict: Verdict, _ job: Job) {
    switch verdict {
    case .registered:
      if !job.isKnownGood { knownGood = job.key }
      sparesKnownGood = false
    case .throttled, .stale: break
    // Somebody has taken the known key away; it is no canary any more.
    case .failed: if job.isKnownGood { knownGood = nil }
    // Refused; another key has its turn next, and after that this one again.
    default: if job.isProbe { sparesKnownGood = job.isKnownGood }
    }
  }

  /// New credentials or settings are in force.
  package mutating func reloaded(
    pacer settings: PacerSettings, retry: RetryPolicy, credentialsChanged: Bool, now: Seconds
  ) {
    pacer.apply(settings, now: now)
    if credentialsChanged { knownGood = nil }
    holds.reloaded(retry: retry, now: now)
  }

  private mutating func note(_ result: KeyResult, in settlement: inout Settlement) {
    if result.verdict != .refund { unrecorded.insert(result.row) }
    settlement.results.append(result)
  }

  private mutating func apply(
    _ effects: [Holds.Effect], at wall: Timestamp?, now: Seconds, atLeast: Seconds = 0,
    to settlement: inout Settlement
  ) {
    for effect in effects {
      switch effect {
      case .release(let job):
        kept.remove(job.key.row)
        guard !job.isKnownGood else { continue }
        guard job.reading == reading else {
          // It may have been cancelled meanwhile: if it is still open, the next read brings it.
          generation += 1
          isDrained = false
          continue
        }
        if job.isProbe, holds.rotatesCanaries { ready.append(job.key) } else { returned.append(job.key) }
      case .keep(let job):
        if !job.isKnownGood { kept.insert(job.key.row) }
      case .retry(let job, let fault, let delay):
        guard !job.isKnownGood else { continue }
        let at = wall ?? job.sentAt
        let delay = max(delay, atLeast)
        nextDue = min(nextDue ?? .infinity, now + delay)
        note(fault.result(of: job, .retry(due: at.adding(seconds: delay)), at: at), in: &settlement)
      case .postpone(let job, let fault, let delay):
        guard !job.isKnownGood else { continue }
        let at = wall ?? job.sentAt
        nextDue = min(nextDue ?? .infinity, now + delay)
        note(fault.result(of: job, .postpone(due: at.adding(seconds: delay)), at: at), in: &settlement)
      case .fail(let job, let fault):
        kept.remove(job.key.row)
        note(fault.result(of: job, .failed, at: wall ?? job.sentAt), in: &settlement)
      case .refund(let row):
        let at = wall ?? Timestamp(milliseconds: 0)
        note(KeyResult(row: row, verdict: .refund, sentAt: at, at: at), in: &settlement)
      case .began(let reason, let detail): settlement.events.append(.holdBegan(reason, detail: detail))
      case .ended(let reason): settlement.events.append(.holdEnded(reason))
      }
    }
  }
}

extension Fault {
  fileprivate func result(of job: Job, _ verdict: KeyResult.Verdict, at wall: Timestamp) -> KeyResult {
    KeyResult(
      row: job.key.row, verdict: verdict, httpStatus: status, errorTitle: title, errorDetail: detail,
      sentAt: job.sentAt, at: wall)
  }
}
