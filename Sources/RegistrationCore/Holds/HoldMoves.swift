import RateLimit

extension Holds {
  /// Seconds before a key that the API does not know is tried once more: a new key is not known everywhere at once.
  static let secondLook: Seconds = 30

  /// Seconds for which nothing is sent while a canary is out. Anything longer is a hold, and shows as one.
  static let longestInquiry: Seconds = 7.5

  /// Canaries of a hold that come back before the API's earlier refusals of other keys stand.
  private static let canariesBeforeVerdict = 3

  /// What the API's refusal of a key leads to, once it is believed.
  mutating func judge(_ charge: Charge) -> Effect {
    guard charge.fault.status == 404, !charge.job.key.isDenied else { return .fail(charge.job, charge.fault) }
    return .lookAgain(charge.job, charge.fault, delay: Self.secondLook * late())
  }

  /// The API answered 403 to a key, and a later request succeeded. The first time, the key is tried again; the second
  /// time, it fails.
  mutating func believe(_ suspect: Suspicion.Suspect) -> Effect {
    if doubted.insert(suspect.job.key.row).inserted {
      // Whatever it began before, it is tried again at once.
      blame.acquit(suspect.job.key.row)
      return .release(suspect.job)
    }
    return fail(Charge(job: suspect.job, fault: suspect.fault))
  }

  /// The key fails. If it is retried later, nothing from before counts.
  mutating func fail(_ charge: Charge) -> Effect {
    doubted.remove(charge.job.key.row)
    blame.acquit(charge.job.key.row)
    return .fail(charge.job, charge.fault)
  }

  /// Notes an attempt without an answer. It counts once another is answered.
  mutating func charge(_ charge: Charge, _ failures: Failures, wait: Seconds, at moment: Moment) -> [Effect] {
    guard !charge.job.isKnownGood else { return [] }
    var failures = failures
    failures.last = charge.fault
    var effect = Effect.keep(charge.job)
    let attempts = charge.job.key.attempts + failures.streak.count { $0 == charge.job.key.row } + 1
    if attempts >= retry.maxAttempts {
      failures.exhausted.append(charge)
    } else {
      let delay = retry.delay(beforeAttempt: attempts + 1, random: random.unit())
      effect = .retry(charge.job, charge.fault, delay: max(delay, wait))
      failures.streak.append(charge.job.key.row)
    }
    state = .open(failures)
    guard failures.isSuspicious(patience: patience) else { return [effect] }
    // A server that says when to come back has answered what a canary would ask.
    if quietUntil > moment.now + Self.longestInquiry { return [effect] + hold(.outage, charge.fault, at: moment) }
    inquire(.outage(failures), now: moment.now)
    return [effect]
  }

  /// Puts off a key that alone caused trouble before; nil when the trouble is shared. A key that is not refused like all
  /// others ends no hold for that, either.
  mutating func putOff(_ charge: Charge) -> [Effect]? {
    if case .holding(let hold, _) = state, hold.reason != .refused { return nil }
    guard let times = blame.putOff(charge.job.key.row) else { return nil }
    // At least a second: without a delay the key would be sent over and over.
    let delay = max(1, retry.delay(beforeAttempt: times + 1, random: random.unit()))
    return [.postpone(charge.job, charge.fault, delay: delay)]
  }

  mutating func inquire(_ inquiry: Inquiry, now: Seconds) {
    switch inquiry {
    // A refusal is checked at once. A failing server gets a moment.
    case .credentials: state = .inquiring(inquiry, Canary(due: now, inFlight: canary.inFlight))
    case .outage:
      state = .inquiring(inquiry, Canary(due: max(quietUntil, now + outageDelay(0)), inFlight: canary.inFlight))
    }
  }

  mutating func hold(_ reason: Reason, _ fault: RequestFault, triggers: Set<Int64> = [], at moment: Moment) -> [Effect]
  {
    var effects = releaseWaiting()
    if reason == .refused { effects += denials.interrupt().map { .release($0.job) } }
    doubted.removeAll()
    if case .holding(let old, _) = state, old.reason != reason { effects.append(.ended(old.reason)) }
    patience = Self.patiences.lowerBound
    let hold = Hold(reason: reason, fault: fault, since: moment.wall, began: moment.now, triggers: triggers)
    state = .holding(hold, Canary(due: moment.now, inFlight: canary.inFlight))
    probeLater(at: moment)
    return effects + [.began(hold)]
  }

  /// Charges no key: waiting keys are due again, and attempts since the last answer do not count.
  mutating func releaseWaiting() -> [Effect] {
    switch state {
    case .open(let failures), .inquiring(.outage(let failures), _): release(failures)
    case .inquiring(.credentials(let suspicion), _):
      suspicion.suspects.map { .release($0.job) } + release(suspicion.failures)
    case .holding: []
    }
  }

  /// The key has its outcome. What is not counted of its attempts never will be: it may start anew.
  mutating func settled(_ row: Int64) {
    changeFailures { $0.streak.removeAll { $0 == row } }
  }

  /// The key waits for a reason of its own, which the end of another wait does not shorten.
  mutating func putAside(_ row: Int64) {
    changeFailures { if $0.streak.contains(row) { $0.aside.insert(row) } }
  }

  private mutating func changeFailures(_ change: (inout Failures) -> Void) {
    switch state {
    case .open(var failures):
      change(&failures)
      state = .open(failures)
    case .inquiring(.outage(var failures), let canary):
      change(&failures)
      state = .inquiring(.outage(failures), canary)
    case .inquiring(.credentials(var suspicion), let canary):
      change(&suspicion.failures)
      state = .inquiring(.credentials(suspicion), canary)
    case .holding: break
    }
  }

  private func release(_ failures: Failures) -> [Effect] {
    let waiting = failures.streak.filter { !failures.aside.contains($0) }
    return failures.exhausted.map { .release($0.job) } + waiting.map { .spare(row: $0) }
  }

  /// A canary came back and the hold goes on. What the API has said of keys before stands, once it is clear that no
  /// other key will soon be answered.
  mutating func returned(_ charge: Charge, at moment: Moment) -> [Effect] {
    probeLater(after: charge.fault, at: moment)
    var effects: [Effect] = [.release(charge.job)]
    if case .holding(let hold, let canary) = state, hold.reason != .refused, canary.returns > Self.canariesBeforeVerdict
    {
      effects += denials.release().map { judge($0) }
    }
    return effects
  }

  /// The canary changed nothing; the next one waits longer.
  ///
  /// - Parameter fault: What it was told.
  mutating func probeLater(after fault: RequestFault? = nil, at moment: Moment) {
    guard case .holding(var hold, var canary) = state else { return }
    hold.latest = fault ?? hold.latest
    canary.returns += 1
    canary.due =
      switch hold.reason {
      // Single keys have been the trouble before: a registered key tells at once.
      case .credentials where canary.returns == 1 && !blame.isEmpty: moment.now
      case .credentials: moment.now + ProbeSpacing.credentials.delay(after: canary.returns - 1) * late()
      case .refused: moment.now + ProbeSpacing.refused.delay(after: canary.returns - 1) * late()
      case .outage: max(quietUntil, moment.now + outageDelay(canary.returns, of: hold, now: moment.now))
      }
    state = .holding(hold, canary)
  }

  /// The spacing, shortened by up to half, so that many daemons do not ask at the same time.
  mutating func outageDelay(_ returns: Int, of hold: Hold? = nil, now: Seconds = 0) -> Seconds {
    let spacing = hold.map { ProbeSpacing.outage(age: now - $0.began, isForbidden: $0.fault.status == 403) }
    return (spacing ?? .outage(age: 0)).delay(after: returns) * random.between(0.5, 1)
  }

  /// A factor of 1 to 1.1, for the same reason. It never shortens a delay that was asked for.
  private mutating func late() -> Double { random.between(1, 1.1) }
}
