// The heart of keyreg: decides when each request may be sent so that the whole allowance is used, almost nothing is
// refused and nobody else is harmed. A value without clock, lock or I/O: the daemon guards it and does the waiting, and
// the tests simulate hours of it in milliseconds.
//
// A request must pass, in this order: the gate (closed for everyone after a refusal), the probe (one request alone when
// nothing is known), the concurrency limit, and every known limit (`Limits`). There is always one: while no reply
// carries a count, a limit that is found by refusals.

import Registration

package struct Pacer: Sendable {
  private(set) var settings: PacerSettings
  private(set) var gate = Gate.initial
  private(set) var obeyed: Limits
  private(set) var flights: [UInt64: Flight] = [:]
  private(set) var concurrency: Concurrency
  private(set) var roundTrips = RoundTrips()
  private(set) var log = SentLog()
  private var clock = ServerClock()
  private var jitter: SplitMix64
  private(set) var sequence: UInt64 = 0
  private(set) var lastSentAt: Seconds = -.infinity
  private var unexplained = UnexplainedRefusals()
  private var opinion: SecondOpinion

  /// Shorter windows are half over before requests could be increased step by step. In longer ones we look for others
  /// first.
  private static let shortPeriod: Seconds = 15
  /// Requests in flight once a longer limit is known: enough to notice others, too few to harm them.
  private static let openedTo = 4  // T08, T09
  /// Our own requests are remembered for at least this many seconds, however short the limits are.
  private static let shortestMemory: Seconds = 120
  /// The longest Retry-After, in seconds, that is believed while no period is known.
  private static let longestWait: Seconds = 3_600
  /// The shortest part of a pause after a 429 without details, so that many daemons do not return at the same time.
  private static let shortestShare = 0.5
  /// After this many such pauses in a row, one request goes alone.
  private static let pausesBeforeProbe = 2

  /// - Parameters:
  ///   - learned: What an earlier run knew.
  ///   - sent: When requests of an earlier run were answered that counted, the oldest first.
  ///   - seed: Of the jitter; the same seed and the same replies give the same decisions.
  ///   - now: On the clock of all later instants.
  package init(
    settings: PacerSettings, learned: LearnedLimits? = nil, sent: [Seconds] = [], seed: UInt64, now: Seconds
  ) {
    self.settings = settings
    jitter = SplitMix64(seed: seed)
    concurrency = Concurrency(workers: settings.workers)
    obeyed = Limits(settings: settings, learned: learned, now: now)
    opinion = SecondOpinion(remembered: obeyed.remembered)
    for instant in sent { log.append(min(instant, now)) }
  }

  /// Settings were reloaded; requests in flight are not affected.
  package mutating func apply(_ settings: PacerSettings, now: Seconds) {
    self.settings = settings
    concurrency.workers = settings.workers
    obeyed.apply(settings, now: now)
  }

  // MARK: Before a request

  /// May a request be sent now? Asking reserves nothing, but may decide that the next request is a probe.
  ///
  /// - Parameters:
  ///   - backlog: Waiting keys, including the one that asks.
  package mutating func next(now: Seconds, backlog: Int) -> Decision {
    let asker: Gate.Asker?
    switch gate.state(at: now) {
    case .closed(let until, _): return .wait(until: until)
    case .probing: return .awaitReply
    case .asking(let one): asker = one
    case .open: asker = nil
    }
    if flights.count >= concurrency.limit || opinion.isAwaited && !flights.isEmpty { return .awaitReply }
    let ask = ask(now: now, backlog: backlog)
    var prober: Gate.Asker?
    var waits: Seconds?
    for index in obeyed.indices where asker != .everyone && asker != obeyed[index].asker {
      switch obeyed[index].model.turn(ask) {
      case .go: continue
      case .probe: prober = obeyed[index].asker
      case .wait(let instant): waits = max(waits ?? instant, instant)
      case .reply: return .awaitReply
      }
    }
    if let waits { return .wait(until: waits) }
    if let prober, asker == nil { gate.ask(for: prober) }
    return .send
  }

  /// Takes the permit that `next` allowed. The request counts as in flight until `receive`.
  package mutating func send(now: Seconds) -> Permit {
    sequence += 1
    let flight = Flight(sequence: sequence, sentAt: now, isProbe: gate.pass(sequence))
    flights[sequence] = flight
    lastSentAt = now
    for index in obeyed.indices { obeyed[index].sent(flight) }
    return Permit(id: sequence)
  }

  /// The request was never sent.
  private mutating func withdraw(_ permit: Permit) {
    guard let flight = flights.removeValue(forKey: permit.id) else { return }
    gate.withdraw(permit.id)
    for index in obeyed.indices { obeyed[index].giveBack(flight) }
  }

  // MARK: After a request

  /// The request has ended. A permit ends once; further calls are ignored.
  package mutating func receive(_ paced: PacedReply, for permit: Permit, now: Seconds) {
    guard paced.kind != .unsent else { return withdraw(permit) }
    guard let flight = flights.removeValue(forKey: permit.id) else { return }
    gate.answer(permit.id)
    if paced.kind != .unanswered { roundTrips.note(now - flight.sentAt) }
    if let date = paced.reading?.date { clock.observe(date: date, sentAt: flight.sentAt, receivedAt: now) }
    let costNothing = paced.kind == .throttled || paced.kind == .refused
    if !costNothing { log.append(now) }
    let reply = ReceivedReply(
      flight: flight, kind: paced.kind, now: now, others: Array(flights.values), clock: clock, log: log)
    if costNothing {
      for index in obeyed.indices { obeyed[index].giveBack(flight) }
    }
    let known = obeyed.latest(ask(now: now, backlog: 1))
    let reading = opinion.of(paced.reading, reply, wait: known, period: obeyed.longestPeriod)
    let told = read(reading, reply)
    // Not before a new limit has seen it.
    log.drop(through: now - max(Self.shortestMemory, obeyed.longestPeriod) - 1)
    switch paced.kind {
    case .answered: succeed(told, reply)
    case .throttled: throttle(reading, told, reply)
    case .refused, .unsent: break
    case .serverError, .unanswered: concurrency.halve(now: now, roundTrip: roundTrips.long)
    }
  }

  /// Passes a reply to the limits: to the one it counts against its count, to the others that one more may have been
  /// counted.
  ///
  /// - Returns: The index of the limit that it counts against.
  private mutating func read(_ reading: RateLimitReading?, _ reply: ReceivedReply) -> Int? {
    obeyed.note(reading, reply)
    let found = reading.flatMap { obeyed.index(of: $0, reply) }
    if let found, found.isNew {
      let isShort = (obeyed[found.index].model.granted?.period ?? 0) <= Self.shortPeriod
      concurrency.open(to: isShort ? settings.workers : Self.openedTo)
    }
    var reply = reply
    for index in obeyed.told {
      reply.chance = jitter.unit()
      if let reading, index == found?.index {
        obeyed[index].observe(reading, reply)
      } else {
        obeyed[index].observeSilence(reply)
      }
    }
    return found?.index
  }

  private mutating func succeed(_ told: Int?, _ reply: ReceivedReply) {
    unexplained.succeeded()
    if let index = told ?? obeyed.untold { obeyed[index].succeeded(reply) }
    concurrency.grow(ceiling: obeyed.ceiling(now: reply.now))
  }

  // MARK: Refusals

  private mutating func throttle(_ reading: RateLimitReading?, _ told: Int?, _ reply: ReceivedReply) {
    let wait = reading?.retryAfter.map { min($0, told.map { obeyed[$0].longestWait } ?? Self.longestWait) }
    // Without a count, Retry-After or the limit in the text shows which limit it was; without those, nothing does.
    let meant = told ?? obeyed.untold ?? obeyed.index(granting: reading?.stated) ?? (wait != nil ? 0 : nil)
    guard let meant else { return pause(reply) }
    var reply = reply
    if meant == obeyed.untold {
      // It may also be a service in trouble.
      concurrency.halve(now: reply.now, roundTrip: roundTrips.long)
      reply.chance = jitter.unit()
    }
    switch obeyed[meant].refuse(reading, wait: wait, reply) {
    case .ignored, .disproved: break
    case .elsewhere: backOff(reply)
    case .closed(let until, _):
      let latest = reply.now + obeyed[meant].longestWait
      gate.close(until: min(until, latest), for: obeyed[meant].asker)
    }
  }

  /// A 429 of a limit that no reply mentions, while the one in the headers has requests left: one request probes, later
  /// each time.
  private mutating func backOff(_ reply: ReceivedReply) {
    guard !unexplained.covers(reply.flight) else { return }
    unexplained.note(at: reply.now)
    gate.close(until: reply.now + unexplained.pause, for: .everyone)
  }

  /// A 429 without details, probably from the edge: a short pause for all and fewer at a time, but no window is closed.
  private mutating func pause(_ reply: ReceivedReply) {
    guard concurrency.halve(now: reply.now, roundTrip: roundTrips.long) else { return }
    unexplained.note(at: reply.now)
    gate.pause(until: reply.now + unexplained.pause * jitter.between(Self.shortestShare, 1))
    if unexplained.count >= Self.pausesBeforeProbe { gate.ask(for: .everyone) }
  }
}
