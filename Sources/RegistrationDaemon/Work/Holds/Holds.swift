package import RateLimit
import Registration
package import RegistrationAPI

/// Whether the trouble that a reply shows is the key's own or everybody's, and what may be sent until that is known.
///
/// A pure value: replies and times go in, effects on keys come out. Two suspicions are dealt with alike. A 403 may mean
/// the credentials or the one key; failures without an answer may mean an outage or a few bad keys. In both cases
/// nothing but one canary at a time is sent until it has told: answered, the keys were at fault and are charged; refused
/// too, nobody is charged and the daemon *holds*, probing ever more slowly until the cause is gone. So neither a
/// credential that expires at night nor hours of outage can turn keys into failures. A 403 has to be given twice, with a
/// success after the first, before it is believed: a refusal of everybody that is over before the canary comes would
/// otherwise be charged to whoever it met. (No 403 was seen to cost quota.)
package struct Holds: Sendable {
  package enum Reason: String, Sendable, Hashable {
    case credentials
    case outage
  }

  package enum Phase: Sendable, Hashable {
    case open
    /// A canary is to tell what the trouble is.
    case suspecting(Reason)
    /// It was everybody's.
    case holding(Reason)
  }

  /// What may be sent.
  package enum Gate: Sendable, Hashable {
    case open
    /// One canary, from now on.
    case probe
    /// Nothing before this time; nil until the reply to the canary has come.
    case closed(until: Seconds?)
  }

  private struct Refused: Sendable, Hashable {
    var job: Job
    var fault: Fault
    /// Requests sent when the refusal came; a later one is a witness.
    var sent: Int
  }

  package private(set) var phase = Phase.open
  /// What was last said about the current trouble.
  package private(set) var detail = ""
  private var retry: RetryPolicy
  private var random: SplitMix64
  private var probeAt: Seconds = 0
  private var isProbing = false
  private var heldSince: Seconds = 0
  /// Canaries in a row that brought no end of the trouble.
  private var probes = 0
  private var undecided: [Refused] = []
  /// Rows that were refused once while others were not; they are being asked again.
  private var doubted: Set<Int64> = []
  /// The row whose reply began the present hold.
  private var trigger: Int64?
  /// Rows that began a hold which another key's answer ended, and how often they were put off since: they wait ever longer
  /// instead of holding everybody again. A 401 or a redirect never counts against a key, since no one can tell it from one
  /// of several servers that has not heard of new credentials yet.
  private var blamed: [Int64: Int] = [:]
  /// Keys put off in a row without a success of anybody; then it is everybody's trouble after all.
  private var putOffInARow = 0
  private static let putOffAtMost = 3
  /// Rows whose attempt was counted since the last answer, in order.
  private var streak: [Int64] = []
  /// Keys out of attempts, until an answer to somebody else has shown that it was their own fault.
  private var exhausted: [(job: Job, fault: Fault)] = []

  /// Failures in a row, of more than one key, that raise the suspicion of an outage. Doubles each time a canary has
  /// shown that it was none (a server may well refuse the first attempt of every key), and begins anew with an outage.
  private var suspiciousStreak = Self.suspiciousStreaks.lowerBound
  private static let suspiciousStreaks = 5...40

  package init(retry: RetryPolicy, seed: UInt64) {
    self.retry = retry
    random = SplitMix64(seed: seed)
  }

  /// The reason that is shown to the operator; nil while open or only suspecting.
  package var reason: Reason? {
    if case .holding(let reason) = phase { reason } else { nil }
  }

  /// Keys that wait for a canary's word.
  package var waiting: Int { undecided.count + exhausted.count }

  package func gate(now: Seconds) -> Gate {
    switch phase {
    case .open: .open
    case .suspecting, .holding:
      if isProbing { .closed(until: nil) } else if now >= probeAt { .probe } else { .closed(until: probeAt) }
    }
  }

  /// Whether a canary that has come back goes behind the other keys. Refused credentials are tried with different keys. In
  /// an outage the same key goes several times first: it may be the server that wants it so.
  package var rotatesCanaries: Bool { reason != .outage || probes % 4 == 0 }

  /// A canary is on its way.
  package mutating func probeSent() {
    isProbing = true
  }

  /// New credentials or settings: the next canary goes at once.
  package mutating func reloaded(retry: RetryPolicy, now: Seconds) {
    self.retry = retry
    probes = 0
    probeAt = now
  }

  /// Nothing is in flight and nothing else is due: what waits for somebody else's answer would wait for ever.
  package mutating func idle(now: Seconds) {
    if phase == .open, !exhausted.isEmpty { suspect(.outage, now: now) }
  }

  /// A canary is wanted, but there is no other key to send: the keys that wait are all there is, and every one of them
  /// fails. That is a hold, and they themselves become the canaries.
  package mutating func noCanary(now: Seconds) -> [Effect] {
    guard case .suspecting(let reason) = phase else { return [] }
    return hold(reason, now: now)
  }
}

// MARK: - Replies

extension Holds {
  /// Takes in one reply and says what becomes of the keys that it decides about.
  ///
  /// Success and the key's own failures are recorded by the caller; here they are evidence.
  /// - Parameter sent: Requests sent so far, this one among them.
  package mutating func observe(_ verdict: Verdict, for job: Job, sent: Int, now: Seconds) -> [Effect] {
    if job.isProbe { isProbing = false }
    switch verdict {
    case .registered:
      putOffInARow = 0
      doubted.remove(job.key.row)
      blamed[job.key.row] = nil
      return answered(job, isSuccess: true, now: now)
    case .failed:
      doubted.remove(job.key.row)
      blamed[job.key.row] = nil
      return answered(job, isSuccess: false, now: now)
    case .throttled, .stale: return release(job)
    case .unauthorized(let detail):
      self.detail = detail ?? "the API answers 401"
      return unauthorized(job, now: now)
    case .forbidden(let title, let detail):
      let fault = Fault(status: 403, title: title, detail: detail)
      return forbidden(job, fault, sent: sent, now: now)
    case .unsettled(let status, let title, let detail):
      return unanswered(job, Fault(status: status, title: title, detail: detail), now: now)
    case .unanswered(let title, let detail):
      return unanswered(job, Fault(status: nil, title: title, detail: detail), now: now)
    case .misdirected(let status, let title, let detail):
      return misdirected(job, Fault(status: status, title: title, detail: detail), now: now)
    }
  }

  private mutating func answered(_ job: Job, isSuccess: Bool, now: Seconds) -> [Effect] {
    var effects: [Effect] = []
    switch phase {
    case .open:
      streak.removeAll()
      effects += chargeExhausted(witness: job)
    case .suspecting(.outage):
      guard job.isProbe else { return [] }
      effects += chargeExhausted(witness: job)
      suspiciousStreak = min(suspiciousStreak * 2, Self.suspiciousStreaks.upperBound)
      open()
    case .suspecting(.credentials):
      streak.removeAll()
      guard job.isProbe else { return [] }
      if isSuccess {
        effects += undecided.filter { $0.sent < job.order }.map { believe($0) }
        undecided.removeAll { $0.sent < job.order }
      }
      if undecided.isEmpty { open() } else { probeAt = now }
    case .holding(let reason):
      guard job.isProbe else { return [] }
      if let trigger, trigger != job.key.row { blamed[trigger, default: 0] += 1 }
      trigger = nil
      open()
      effects.append(.ended(reason))
    }
    return effects
  }

  private mutating func unauthorized(_ job: Job, now: Seconds) -> [Effect] {
    let released = release(job)
    if phase == .holding(.credentials) {
      if job.isProbe { probeLater(now: now) }
      return released
    }
    let fault = Fault(status: 401, title: "Unauthorized", detail: detail)
    return putOff(job, fault) ?? released + hold(.credentials, trigger: job.key.row, now: now)
  }

  private mutating func forbidden(_ job: Job, _ fault: Fault, sent: Int, now: Seconds) -> [Effect] {
    detail = fault.summary
    if phase == .holding(.credentials) {
      if job.isProbe { probeLater(now: now) }
      return release(job)
    }
    if job.isProbe, job.isKnownGood || phase == .suspecting(.credentials) {
      return release(job) + hold(.credentials, now: now)
    }
    if phase == .open, doubted.remove(job.key.row) != nil { return [.fail(job, fault)] }
    var effects: [Effect] = []
    if phase != .suspecting(.credentials) {
      if case .holding(let reason) = phase { effects.append(.ended(reason)) }
      effects += releaseWaiting()
      suspect(.credentials, now: now)
    }
    undecided.append(Refused(job: job, fault: fault, sent: sent))
    return effects + [.keep(job)]
  }

  private mutating func unanswered(_ job: Job, _ fault: Fault, now: Seconds) -> [Effect] {
    switch phase {
    case .holding:
      if job.isProbe {
        detail = fault.summary
        probeLater(now: now)
      }
      return release(job)
    case .suspecting(.outage):
      detail = fault.summary
      return release(job) + (job.isProbe ? hold(.outage, now: now) : [])
    case .suspecting(.credentials) where job.isProbe:
      probes += 1
      detail = fault.summary
      guard probes < 3 else { return release(job) + hold(.outage, now: now) }
      probeAt = now + outageDelay()
      return release(job)
    case .suspecting(.credentials):
      return release(job)
    case .open:
      return charge(job, fault, now: now)
    }
  }

  /// A redirect or a refused certificate: no second request goes there to find out whether it was meant.
  private mutating func misdirected(_ job: Job, _ fault: Fault, now: Seconds) -> [Effect] {
    detail = fault.summary
    if phase == .holding(.outage) {
      if job.isProbe { probeLater(now: now) }
      return release(job)
    }
    if let effects = putOff(job, fault) { return effects }
    var effects = release(job)
    if phase == .holding(.credentials) { effects.append(.ended(.credentials)) }
    return effects + hold(.outage, trigger: job.key.row, now: now)
  }
}

// MARK: - Moves

extension Holds {
  /// Puts off a key that has been the only one in trouble before; nil when it is everybody's trouble.
  private mutating func putOff(_ job: Job, _ fault: Fault) -> [Effect]? {
    guard phase == .open, let times = blamed[job.key.row], putOffInARow < Self.putOffAtMost else { return nil }
    putOffInARow += 1
    blamed[job.key.row] = times + 1
    // A second at least: a jitter of nothing would send it again and again.
    let delay = max(1, retry.delay(beforeAttempt: times + 1, random: random.unit()))
    return [.postpone(job, fault, delay: delay)]
  }

  private mutating func charge(_ job: Job, _ fault: Fault, now: Seconds) -> [Effect] {
    detail = fault.summary
    var effects: [Effect] = []
    let attempts = job.key.attempts + 1
    if attempts >= retry.maxAttempts {
      exhausted.append((job, fault))
      effects.append(.keep(job))
    } else {
      let delay = retry.delay(beforeAttempt: attempts + 1, random: random.unit())
      effects.append(.retry(job, fault, delay: delay))
      streak.append(job.key.row)
    }
    let failures = streak.count + exhausted.count
    let rows = Set(streak).union(exhausted.map(\.job.key.row))
    if failures >= suspiciousStreak, rows.count > 1 || fault.status == nil { suspect(.outage, now: now) }
    return effects
  }

  /// A key that was refused while a later request succeeded: the first time it is asked again, the second time it failed.
  private mutating func believe(_ refused: Refused) -> Effect {
    if doubted.insert(refused.job.key.row).inserted { return .release(refused.job) }
    doubted.remove(refused.job.key.row)
    return .fail(refused.job, refused.fault)
  }

  private mutating func chargeExhausted(witness: Job) -> [Effect] {
    let guilty = exhausted.filter { $0.job.order < witness.order }
    exhausted.removeAll { $0.job.order < witness.order }
    return guilty.map { .fail($0.job, $0.fault) }
  }

  private mutating func suspect(_ reason: Reason, now: Seconds) {
    phase = .suspecting(reason)
    probes = 0
    // A refusal is settled at once. A server in trouble is given a moment.
    probeAt = reason == .credentials ? now : now + outageDelay()
  }

  private mutating func hold(_ reason: Reason, trigger: Int64? = nil, now: Seconds) -> [Effect] {
    self.trigger = trigger
    var effects = releaseWaiting()
    if case .holding(let old) = phase, old != reason { effects.append(.ended(old)) }
    suspiciousStreak = Self.suspiciousStreaks.lowerBound
    phase = .holding(reason)
    heldSince = now
    probes = 0
    probeLater(now: now)
    effects.append(.began(reason, detail: detail))
    return effects
  }

  private mutating func open() {
    phase = .open
    probes = 0
    streak.removeAll()
  }

  /// Nobody is charged: keys that waited are due again, and what was counted since the last answer is given back.
  private mutating func releaseWaiting() -> [Effect] {
    let effects: [Effect] =
      undecided.map { .release($0.job) } + exhausted.map { .release($0.job) } + streak.map { .refund(row: $0) }
    undecided.removeAll()
    doubted.removeAll()
    exhausted.removeAll()
    streak.removeAll()
    return effects
  }

  private func release(_ job: Job) -> [Effect] { [.release(job)] }

  private mutating func probeLater(now: Seconds) {
    probes += 1
    switch phase {
    case .holding(.credentials):
      // 5, 10, 20, 20 … s: a refused credential does not mend itself, and refusals are counted against the caller.
      probeAt = now + min(20, 5 * Double(1 << min(probes - 1, 2))) * random.between(1, 1.1)
    default:
      probeAt = now + outageDelay(now - heldSince)
    }
  }

  /// 0.5, 1, 2, 4, 7.5 s, jittered, so that an outage of minutes is over for us within 8 s; after ten minutes up to 30 s.
  private mutating func outageDelay(_ age: Seconds = 0) -> Seconds {
    let cap: Seconds = age > 600 ? 30 : 7.5
    return min(cap, 0.5 * Double(1 << min(probes, 6))) * random.between(0.5, 1)
  }
}
