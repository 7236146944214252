// The heart of keyreg: decides when each request may be sent so that the whole allowance is used, almost nothing is refused
// and nobody else is harmed. A value without clock, lock or I/O: the daemon guards it and does the waiting, the simulation
// in the tests runs hours of it in milliseconds.
//
// A request passes, in this order: the gate (closed after a refusal, for everyone), the probe (one request alone when
// nobody knows), the concurrency, and every limit that is known. Each limit is a Bucket; while no reply carries a count
// there is none, and Unmetered finds its way by refusals.

import Registration

package struct Pacer: Sendable {
  private(set) var settings: PacerSettings
  private(set) var gate = Gate.initial
  private(set) var buckets: [Bucket] = []
  private(set) var unmetered: Unmetered
  private(set) var flights: [UInt64: Flight] = [:]
  private(set) var concurrency: Concurrency
  private(set) var roundTrips = RoundTrips()
  private(set) var log = SentLog()
  private var clock = ServerClock()
  private var remembered: [LearnedLimits.Limit]
  private var jitter: SplitMix64
  private var sequence: UInt64 = 0
  private var bucketsMade = 0
  private(set) var lastSentAt: Seconds = -.infinity
  private var unexplained = UnexplainedRefusals()

  /// Windows so short are half over before requests could be increased step by step. In longer ones others are seen first.
  private static let shortPeriod: Seconds = 15
  /// Names that are told apart at most; a server that makes up a name for every reply must not fill the memory.
  static let limitsKept = 8
  /// Seconds for which a limit that is not told of any more, and not near its end, is kept.
  private static let memory: Seconds = 120
  /// Longest pause while no period is known.
  private static let longestWait: Seconds = 900

  /// - Parameters:
  ///   - learned: what an earlier run knew.
  ///   - seed: of the jitter; the same seed and the same replies give the same decisions.
  ///   - now: on the clock that all later instants are of.
  package init(settings: PacerSettings, learned: LearnedLimits? = nil, seed: UInt64, now: Seconds) {
    self.settings = settings
    remembered = learned?.sanitized ?? []
    jitter = SplitMix64(seed: seed)
    concurrency = Concurrency(workers: settings.workers)
    let known =
      settings.assume.map { ($0, Standing.Source.assumed) } ?? remembered.first.map { ($0.allowance, .learned) }
    unmetered = Unmetered(known: known, settings: settings, now: now)
  }

  /// Settings were reloaded; what is in flight stays.
  package mutating func apply(_ settings: PacerSettings, now: Seconds) {
    self.settings = settings
    concurrency.workers = settings.workers
    unmetered.apply(settings, now: now)
    for index in buckets.indices { buckets[index].apply(settings) }
  }

  // MARK: Before a request

  /// May a request be sent now? Asking reserves nothing, but may decide that the next one goes alone.
  ///
  /// - Parameters:
  ///   - backlog: keys that wait, the one that asks included.
  package mutating func next(now: Seconds, backlog: Int) -> Decision {
    let asker: Gate.Asker?
    switch gate.state(at: now) {
    case .closed(let until, _): return .wait(until: until)
    case .probing: return .awaitReply
    case .asking(let one): asker = one
    case .open: asker = nil
    }
    if flights.count >= concurrency.limit { return .awaitReply }
    let ask = ask(now: now, backlog: backlog)
    var prober: Gate.Asker?
    var waits: Seconds?
    for bucket in buckets where asker != .everyone && asker != .limit(bucket.number) {
      switch bucket.turn(ask) {
      case .go: continue
      case .probe: prober = .limit(bucket.number)
      case .wait(let instant): waits = max(waits ?? instant, instant)
      case .reply: return .awaitReply
      }
    }
    if buckets.isEmpty && asker == nil {
      switch unmetered.turn(ask) {
      case .go, .probe: break
      case .wait(let instant): waits = instant
      case .reply: return .awaitReply
      }
    }
    if let waits { return .wait(until: waits) }
    if let prober, asker == nil { gate.ask(for: prober) }
    return .send
  }

  /// Takes the permit that `next` allowed. The request counts as under way until `receive`.
  package mutating func send(now: Seconds) -> Permit {
    sequence += 1
    let flight = Flight(sequence: sequence, sentAt: now, isProbe: gate.pass(sequence))
    flights[sequence] = flight
    lastSentAt = now
    for index in buckets.indices { buckets[index].sent(flight) }
    return Permit(id: sequence)
  }

  /// The request was never sent.
  private mutating func withdraw(_ permit: Permit) {
    guard let flight = flights.removeValue(forKey: permit.id) else { return }
    gate.withdraw(permit.id)
    for index in buckets.indices { buckets[index].giveBack(flight) }
  }

  // MARK: After a request

  package mutating func receive(_ paced: PacedReply, for permit: Permit, now: Seconds) {
    guard paced.kind != .unsent else { return withdraw(permit) }
    guard let flight = flights.removeValue(forKey: permit.id) else { return }
    gate.answer(permit.id)
    let reading = paced.reading
    if paced.kind != .unanswered { roundTrips.note(now - flight.sentAt) }
    if let date = reading?.date { clock.observe(date: date, sentAt: flight.sentAt, receivedAt: now) }
    if paced.kind != .throttled && paced.kind != .refused {
      log.append(now)
      log.drop(through: now - longestPeriod - 1)
    }
    let reply = ReceivedReply(
      flight: flight, kind: paced.kind, now: now, others: Array(flights.values), clock: clock, log: log)
    if paced.kind == .throttled || paced.kind == .refused {
      for index in buckets.indices { buckets[index].giveBack(flight) }
    }
    let told = read(reading, reply)
    switch paced.kind {
    case .answered: succeed(told, reply)
    case .throttled: throttle(reading, told, reply)
    case .refused, .unsent: break
    case .serverError, .unanswered: concurrency.halve(now: now, roundTrip: roundTrips.long)
    }
  }
  private var longestPeriod: Seconds {
    max(120, buckets.map(\.allowance.period).max() ?? unmetered.counted?.allowance.period ?? 0)
  }

  /// Passes a reply to the limits: to the one it counts its count, to the others that one more may have been counted.
  ///
  /// - Returns: the index of the limit that it counts.
  private mutating func read(_ reading: RateLimitReading?, _ reply: ReceivedReply) -> Int? {
    let told = reading.flatMap { bucket(for: $0, reply) }
    for index in buckets.indices {
      let shift = jitter.unit()
      if let reading, index == told {
        buckets[index].observe(reading, reply, shift: shift)
      } else {
        buckets[index].observeSilence(reply, shift: shift)
      }
    }
    return told
  }

  /// The limit that a reading counts, made when it is new.
  private mutating func bucket(for reading: RateLimitReading, _ reply: ReceivedReply) -> Int? {
    guard reading.countsBudget else { return nil }
    forgetUnseen(now: reply.now)
    if let index = buckets.firstIndex(where: { $0.name == reading.name && $0.fits(reading) }) { return index }
    if let name = reading.name, let index = buckets.firstIndex(where: { $0.name == nil && $0.fits(reading) }) {
      buckets[index].rename(name)
      return index
    }
    if reading.name == nil, buckets.count == 1, buckets[0].fits(reading) { return 0 }
    let learned = remembered.first { $0.name == reading.name } ?? remembered.first { $0.name == nil }
    guard let allowance = allowance(of: reading, learned) else { return nil }
    guard buckets.count < Self.limitsKept else { return nil }
    bucketsMade += 1
    buckets.append(
      Bucket(
        number: bucketsMade, reading: reading, allowance: allowance, learned: learned, settings: settings, reply))
    concurrency.open(to: allowance.period <= Self.shortPeriod ? settings.workers : 4)
    return buckets.count - 1
  }

  /// The limit of a first reading; parts that are missing are taken from what was known, or guessed from the others.
  private func allowance(of reading: RateLimitReading, _ learned: LearnedLimits.Limit?) -> Allowance? {
    guard let remaining = reading.remaining else { return nil }
    let known = learned?.allowance ?? settings.assume
    guard let count = reading.limit ?? known?.count ?? (remaining > 0 ? remaining + 1 : nil) else { return nil }
    // A guess may be too short for a while: it grows with the first longer Reset.
    let period = reading.period ?? known?.period ?? max(5, UsualPeriod.nearest(reading.reset ?? 60))
    return Allowance(count: count, period: period)
  }

  /// Drops limits that no reply tells of any more while it does of others: after two periods, and sooner where they hold
  /// nothing back (the limit was replaced by one of another period, say).
  private mutating func forgetUnseen(now: Seconds) {
    guard buckets.count > 1, let newest = buckets.map(\.seenAt).max() else { return }
    buckets.removeAll { bucket in
      let unseen = now - bucket.seenAt
      return bucket.seenAt < newest
        && (unseen > 2 * bucket.allowance.period || (unseen > Self.memory && !bucket.isNearlyEmpty))
    }
  }

  private mutating func succeed(_ told: Int?, _ reply: ReceivedReply) {
    unexplained.succeeded()
    if buckets.isEmpty {
      unmetered.succeeded(reply)
      concurrency.grow(ceiling: unmetered.ceiling(now: reply.now))
    } else {
      if let told { buckets[told].succeeded() }
      concurrency.grow()
    }
  }

  // MARK: Refusals

  private mutating func throttle(_ reading: RateLimitReading?, _ told: Int?, _ reply: ReceivedReply) {
    let wait = reading?.retryAfter.map { min($0, longestGate(told)) }
    if buckets.isEmpty {
      concurrency.halve(now: reply.now, roundTrip: roundTrips.long)
      if let until = unmetered.refuse(reading, wait: wait, reply, jitter: jitter.unit()) {
        gate.close(until: until, for: .everyone)
      }
      return
    }
    // Without a count, Retry-After or the limit in the text tells which limit it was; without those nothing does.
    let stated = reading?.stated
    let meant = told ?? buckets.firstIndex { $0.allowance == stated } ?? (wait != nil ? 0 : nil)
    guard let meant else { return pause(reply) }
    switch buckets[meant].refuse(reading, wait: wait, reply) {
    case .outdated: break
    case .elsewhere: backOff(reply)
    case .closed(let until):
      let latest = reply.now + longestGate(meant)
      gate.close(until: min(until, latest), for: .limit(buckets[meant].number))
    }
  }

  /// No wait is longer than two windows: a wrong or hostile value must not stop the work for good, a probe is cheap.
  private func longestGate(_ index: Int?) -> Seconds {
    guard let index else { return Self.longestWait }
    return max(60, 2 * buckets[index].allowance.period)
  }

  /// A 429 of a limit that no reply tells of, while the one that is told of has requests left: one asks again, ever later.
  private mutating func backOff(_ reply: ReceivedReply) {
    guard !unexplained.covers(reply.flight) else { return }
    unexplained.note(at: reply.now)
    gate.close(until: reply.now + unexplained.pause, for: .everyone)
  }

  /// A 429 that says nothing, most likely of the edge: a short pause for all and fewer at a time, but no window is closed.
  private mutating func pause(_ reply: ReceivedReply) {
    guard concurrency.halve(now: reply.now, roundTrip: roundTrips.long) else { return }
    unexplained.note(at: reply.now)
    gate.pause(until: reply.now + unexplained.pause * jitter.between(0.5, 1))
    if unexplained.count >= 2 { gate.ask(for: .everyone) }
  }
}
