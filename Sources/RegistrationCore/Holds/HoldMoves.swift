import RateLimit

extension Holds {
  /// Seconds until a key that the API does not know is asked about once more: what was just made is not known everywhere
  /// at once.
  static let secondLook: Seconds = 30

  /// Seconds for which nothing is sent while a canary is yet to tell; whatever is longer is a hold, and shows as one.
  static let longestInquiry: Seconds = 7.5

  /// What the API's word on a key comes to, once it is believed.
  mutating func judge(_ charge: Charge) -> Effect {
    guard charge.fault.status == 404, !charge.job.key.isDenied else { return .fail(charge.job, charge.fault) }
    return .lookAgain(charge.job, charge.fault, delay: Self.secondLook * random.between(1, 1.1))
  }

  /// A key that was answered 403 while a later request succeeded: the first time it is asked again, the second time it
  /// failed.
  mutating func believe(_ suspect: Suspicion.Suspect) -> Effect {
    if doubted.insert(suspect.job.key.row).inserted { return .release(suspect.job) }
    doubted.remove(suspect.job.key.row)
    return .fail(suspect.job, suspect.fault)
  }

  /// Counts an attempt without an answer.
  mutating func charge(_ charge: Charge, _ failures: Failures, wait: Seconds, at moment: Moment) -> [Effect] {
    guard !charge.job.isKnownGood else { return [] }
    var failures = failures
    failures.last = charge.fault
    var effect = Effect.keep(charge.job)
    let attempts = charge.job.key.attempts + 1
    if attempts >= retry.maxAttempts {
      failures.exhausted.append(charge)
    } else {
      let delay = retry.delay(beforeAttempt: attempts + 1, random: random.unit())
      effect = .retry(charge.job, charge.fault, delay: max(delay, wait))
      failures.streak.append(charge.job.key.row)
    }
    state = .open(failures)
    guard failures.isSuspicious(patience: patience) else { return [effect] }
    // A server that says when to come again has told what a canary would.
    if quietUntil > moment.now + Self.longestInquiry { return [effect] + hold(.outage, charge.fault, at: moment) }
    inquire(.outage(failures), now: moment.now)
    return [effect]
  }

  /// Puts off a key that has been the only one in trouble before; nil when it is everybody's trouble.
  mutating func putOff(_ charge: Charge) -> [Effect]? {
    guard case .open = state, let times = blame.putOff(charge.job.key.row) else { return nil }
    // A second at least: a jitter of nothing would send it again and again.
    let delay = max(1, retry.delay(beforeAttempt: times + 1, random: random.unit()))
    return [.postpone(charge.job, charge.fault, delay: delay)]
  }

  mutating func inquire(_ inquiry: Inquiry, now: Seconds) {
    switch inquiry {
    // A refusal is settled at once. A server in trouble is given a moment.
    case .credentials: state = .inquiring(inquiry, Canary(due: now, isOut: canary.isOut))
    case .outage:
      state = .inquiring(inquiry, Canary(due: max(quietUntil, now + outageDelay(0)), isOut: canary.isOut))
    }
  }

  mutating func hold(_ reason: Reason, _ fault: Fault, trigger: Int64? = nil, at moment: Moment) -> [Effect] {
    var effects = releaseWaiting()
    effects += denials.interrupt().map { .release($0.job) }
    doubted.removeAll()
    if case .holding(let old, _) = state, old.reason != reason { effects.append(.ended(old.reason)) }
    patience = Self.patiences.lowerBound
    let hold = Hold(reason: reason, fault: fault, since: moment.wall, began: moment.now, trigger: trigger)
    state = .holding(hold, Canary(due: moment.now, isOut: canary.isOut))
    probeLater(at: moment)
    return effects + [.began(hold)]
  }

  /// Nobody is charged: keys that waited are due again, and what was counted since the last answer is given back.
  mutating func releaseWaiting() -> [Effect] {
    switch state {
    case .open(let failures), .inquiring(.outage(let failures), _):
      failures.exhausted.map { .release($0.job) } + failures.streak.map { .refund(row: $0) }
    case .inquiring(.credentials(let suspicion), _): suspicion.suspects.map { .release($0.job) }
    case .holding: []
    }
  }

  /// The canary has ended nothing; the next one goes later.
  mutating func probeLater(at moment: Moment) {
    guard case .holding(let hold, var canary) = state else { return }
    canary.returns += 1
    canary.due =
      switch hold.reason {
      // 5, 10, 20, 20 … s: a refused credential does not mend itself, and refusals are counted against the caller.
      case .credentials: moment.now + min(20, 5 * Double(1 << min(canary.returns - 1, 2))) * random.between(1, 1.1)
      // 30, 60, 120, 240, 300 … s: each costs quota, and somebody has to do something about it.
      case .refused: moment.now + min(300, 30 * Double(1 << min(canary.returns - 1, 4))) * random.between(1, 1.1)
      case .outage: max(quietUntil, moment.now + outageDelay(canary.returns, age: moment.now - hold.began))
      }
    state = .holding(hold, canary)
  }

  /// 0.5, 1, 2, 4, 7.5 s, jittered, so that an outage of minutes is over for us within 8 s; after ten minutes up to 30 s.
  mutating func outageDelay(_ returns: Int, age: Seconds = 0) -> Seconds {
    let cap: Seconds = age > 600 ? 30 : 7.5
    return min(cap, 0.5 * Double(1 << min(returns, 6))) * random.between(0.5, 1)
  }
}
