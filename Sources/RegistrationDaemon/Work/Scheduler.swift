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
    case holdBegan(Hold)
    case holdEnded(Holds.Reason)
  }

  package private(set) var pacer: Pacer
  package private(set) var holds: Holds
  /// Requests under way, by their order.
  package private(set) var inFlight: [Int: Job] = [:]
  /// Requests handed out since the start.
  package private(set) var sent = 0

  private var ledger = KeyLedger()
  private var known: KnownKey
  /// The credentials in force, as the queue numbers them.
  private var registrar: Int64?
  /// Counts changes of credentials and endpoint.
  private var epoch = 0
  /// What was decided about keys besides the answer to a question.
  private var undelivered = Settlement()

  /// - Parameters:
  ///   - registrar: The credentials, as the queue numbers them.
  ///   - canary: A key that an earlier run has registered with them.
  package init(
    pacer: Pacer, holds: Holds, registrar: Int64? = nil, canary: RegisteredKey? = nil,
    at moment: Moment = Moment(now: 0, wall: Timestamp(milliseconds: 0))
  ) {
    self.pacer = pacer
    self.holds = holds
    self.registrar = registrar
    known = KnownKey(canary, at: moment)
  }

  /// Keys in the memory of this process that are neither due nor recorded: sent, kept or on their way to disk.
  package var inHand: Int { inFlight.count + ledger.inHand }

  /// No reply is awaited and every result is on disk. Keys that wait for a canary's word are simply still open.
  package var isSettled: Bool { inFlight.isEmpty && ledger.isRecorded }
}

// MARK: - Keys

extension Scheduler {
  /// Whether more keys should be read ahead.
  package var wantsKeys: Bool { ledger.wantsKeys }

  /// Whether keys of every list are wanted, as canaries, instead of those whose turn it is.
  package var wantsSample: Bool { holds.hold != nil }

  /// Counts what makes keys that were read ahead stale.
  package var generation: Int { ledger.generation }

  /// Rows that must not be read again.
  package var taken: Set<Int64> {
    ledger.taken.union(inFlight.values.lazy.filter { !$0.isKnownGood }.map(\.key.row))
  }

  /// Takes keys read ahead, unless what they were read from has changed since.
  ///
  /// - Parameters:
  ///   - isAll: There are no more that are due.
  ///   - nextDue: When the next one is, nil when none waits.
  package mutating func supply(_ keys: [DueKey], isAll: Bool, nextDue: Seconds?, generation: Int) {
    ledger.supply(keys, isAll: isAll, nextDue: nextDue, generation: generation)
  }

  /// Keys came, went or changed their order: what was read ahead is read anew.
  package mutating func keysChanged() { ledger.keysChanged() }

  /// Results are on disk.
  package mutating func recorded(_ results: [KeyResult]) { ledger.recorded(results) }
}

// MARK: - Sending

extension Scheduler {
  /// Decides about the next request. On `.send` the key is in flight.
  ///
  /// - Parameters:
  ///   - backlog: Keys that wait in the whole queue, for the pacer's plan.
  ///   - wall: The present time, for the record.
  package mutating func next(now: Seconds, backlog: Int, wall: Timestamp) -> Next {
    ledger.passTime(to: now)
    var choice: Canary.Choice?
    switch holds.gate(now: now) {
    case .open: break
    case .probe(let wanted): choice = wanted
    case .closed(let until): return until.map(Next.wait) ?? .waitForEvent
    }
    let canary = choice.flatMap { knownKey(for: $0, now: now) }
    guard ledger.hasKey || canary != nil else {
      return withoutKey(isProbe: choice != nil, at: Moment(now: now, wall: wall))
    }
    switch pacer.next(now: now, backlog: max(backlog, 1)) {
    case .wait(let until): return .wait(until: until)
    case .awaitReply: return .waitForEvent
    case .send: break
    }
    guard let key = canary ?? ledger.take() else { return .waitForEvent }
    sent += 1
    if choice != nil { holds.probeSent() }
    var job = Job(key: key, order: sent, sentAt: wall, isProbe: choice != nil, isKnownGood: canary != nil)
    job.registrar = registrar
    job.epoch = epoch
    job.reading = ledger.reading
    inFlight[sent] = job
    return .send(Assignment(job: job, permit: pacer.send(now: now)))
  }

  /// The known key, where it is to be the canary now.
  private func knownKey(for choice: Canary.Choice, now: Seconds) -> DueKey? {
    switch choice {
    case .waitingOnly: nil
    // While a read may bring a key it is too early to say that none waits.
    case .another: ledger.hasKey || !ledger.isDrained ? nil : known.current(at: now)
    case .alternating: known.isSpared && ledger.hasKey ? nil : known.current(at: now)
    case .known: known.current(at: now)
    }
  }

  /// What `next` has decided about keys that wait for a canary; to be fetched after it.
  package mutating func takeUndelivered() -> Settlement {
    defer { undelivered = Settlement() }
    return undelivered
  }

  private mutating func withoutKey(isProbe: Bool, at moment: Moment) -> Next {
    // While a read may bring a key, or a reply is to come, it is too early to say that there is no other.
    if ledger.isDrained, inFlight.isEmpty, holds.waiting > 0, isProbe || ledger.isRecorded {
      let wasOpen = holds.isOpen
      let effects = isProbe ? holds.noCanary(at: moment) : holds.idle(now: moment.now)
      var settlement = takeUndelivered()
      apply(effects, at: moment, to: &settlement)
      undelivered = settlement
      if !effects.isEmpty || holds.isOpen != wasOpen { return .wait(until: moment.now) }
    }
    return ledger.nextDue.map(Next.wait) ?? .waitForEvent
  }
}

// MARK: - Replies

extension Scheduler {
  /// Takes in the reply to an assignment.
  ///
  /// - Parameter wall: The present time, for the record and for due times.
  package mutating func receive(
    _ exchange: Exchange, for assignment: Assignment, now: Seconds, wall: Timestamp
  ) -> Settlement {
    // As it stands now: an attempt may have been given back meanwhile.
    var job = inFlight.removeValue(forKey: assignment.job.order) ?? assignment.job
    job.isOutdated = job.epoch != epoch
    pacer.receive(exchange.paced, for: assignment.permit, now: now)
    if !job.isOutdated { noteCanary(exchange.verdict, job, now: now) }
    // RFC 9110 lets a server in trouble say when to come again.
    let wait = exchange.paced.kind == .serverError ? exchange.paced.reading?.retryAfter ?? 0 : 0
    let moment = Moment(now: now, wall: wall)
    var settlement = Settlement()
    apply(holds.observe(exchange.verdict, for: job, sent: sent, wait: wait, at: moment), at: moment, to: &settlement)
    return settlement
  }

  private mutating func noteCanary(_ verdict: Verdict, _ job: Job, now: Seconds) {
    switch verdict {
    case .registered: if job.isKnownGood { known.confirmed() } else { known.registered(job.key, at: now) }
    case .throttled, .stale: break
    case .failed: if job.isKnownGood { known.forget() }
    default: if job.isProbe { known.canaryFailed(wasKnown: job.isKnownGood) }
    }
  }

  /// New credentials or settings are in force.
  ///
  /// - Parameters:
  ///   - registrar: The credentials, as the queue numbers them.
  ///   - canary: A key that they have registered earlier.
  package mutating func reloaded(
    pacer settings: PacerSettings, retry: RetryPolicy, registrar: Int64?, canary: RegisteredKey?, isNew: Bool,
    at moment: Moment
  ) -> Settlement {
    pacer.apply(settings, now: moment.now)
    self.registrar = registrar
    if isNew {
      epoch += 1
      known = KnownKey(canary, at: moment)
    }
    var settlement = Settlement()
    apply(holds.reloaded(retry: retry, now: moment.now), at: moment, to: &settlement)
    return settlement
  }

  /// The operator believes what the API says of every key.
  package mutating func believe(at moment: Moment) -> Settlement {
    var settlement = Settlement()
    apply(holds.believe(), at: moment, to: &settlement)
    return settlement
  }

  private mutating func apply(_ effects: [Holds.Effect], at moment: Moment, to settlement: inout Settlement) {
    for effect in effects {
      switch effect {
      case .register(let job, let status):
        ledger.settle(job.key.row)
        settlement.results.append(
          KeyResult(
            row: job.key.row, verdict: .registered, httpStatus: status, registrar: job.registrar, sentAt: job.sentAt,
            at: moment.wall))
      case .release(let job):
        guard !job.isKnownGood else { continue }
        ledger.giveBack(job.key, readIn: job.reading, isLast: job.isProbe && holds.rotatesCanaries)
      case .keep(let job): if !job.isKnownGood { ledger.keep(job.key.row) }
      case .retry(let job, let fault, let delay):
        wait(job, fault, delay, at: moment, in: &settlement) { .retry(due: $0) }
      case .postpone(let job, let fault, let delay):
        wait(job, fault, delay, at: moment, in: &settlement) { .postpone(due: $0) }
      case .lookAgain(let job, let fault, let delay):
        wait(job, fault, delay, at: moment, in: &settlement) { .lookAgain(due: $0) }
      case .fail(let job, let fault):
        ledger.settle(job.key.row)
        settlement.results.append(fault.result(of: job, .failed, at: moment.wall))
      case .refund(let row):
        ledger.refund(row)
        for order in inFlight.keys where inFlight[order]?.key.row == row { inFlight[order]?.key.attempts -= 1 }
        settlement.results.append(KeyResult(row: row, verdict: .refund, sentAt: moment.wall, at: moment.wall))
      // What is read ahead for a hold and for work differs.
      case .began(let hold):
        ledger.keysChanged()
        settlement.events.append(.holdBegan(hold))
      case .ended(let reason):
        ledger.keysChanged()
        settlement.events.append(.holdEnded(reason))
      }
    }
  }

  private mutating func wait(
    _ job: Job, _ fault: Fault, _ delay: Seconds, at moment: Moment, in settlement: inout Settlement,
    _ verdict: (Timestamp) -> KeyResult.Verdict
  ) {
    guard !job.isKnownGood else { return }
    ledger.wait(until: moment.now + delay)
    ledger.settle(job.key.row)
    settlement.results.append(
      fault.result(of: job, verdict(moment.wall.adding(seconds: delay)), at: moment.wall))
  }
}

extension Fault {
  fileprivate func result(of job: Job, _ verdict: KeyResult.Verdict, at wall: Timestamp) -> KeyResult {
    KeyResult(
      row: job.key.row, verdict: verdict, httpStatus: status, errorTitle: title, errorDetail: detail,
      sentAt: job.sentAt, at: wall)
  }
}
