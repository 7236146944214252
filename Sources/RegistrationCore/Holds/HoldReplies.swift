package import RateLimit
package import Registration

extension Holds {
  /// Takes in one reply and says what becomes of the keys that it decides about.
  ///
  /// - Parameters:
  ///   - sent: Requests sent so far, this one among them.
  ///   - wait: Seconds that a server in trouble asks for, 0 without a word of it.
  package mutating func observe(
    _ verdict: Verdict, for job: Job, sent: Int, wait: Seconds = 0, at moment: Moment
  ) -> [Effect] {
    if job.isProbe { changeCanary { $0.isOut = false } }
    guard !job.isOutdated else { return outdated(verdict, job) }
    switch verdict {
    case .registered(let status): return registered(job, status: status, at: moment)
    case .failed(let status, let title, let detail):
      return denied(Charge(job: job, fault: Fault(status: status, title: title, detail: detail)), at: moment)
    case .throttled, .stale: return [.release(job)]
    case .unauthorized(let detail):
      return unauthorized(
        Charge(job: job, fault: Fault(status: 401, title: "Unauthorized", detail: detail)), at: moment)
    case .forbidden(let title, let detail):
      return forbidden(
        Charge(job: job, fault: Fault(status: 403, title: title, detail: detail)), sent: sent, at: moment)
    case .unsettled(let status, let title, let detail):
      return unanswered(
        Charge(job: job, fault: Fault(status: status, title: title, detail: detail)), wait: wait, at: moment)
    case .unanswered(let title, let detail):
      return unanswered(
        Charge(job: job, fault: Fault(status: nil, title: title, detail: detail)), wait: wait, at: moment)
    case .misdirected(let status, let title, let detail):
      return misdirected(Charge(job: job, fault: Fault(status: status, title: title, detail: detail)), at: moment)
    }
  }

  /// Of a reply to old credentials only a success means anything, and that for its key alone.
  private func outdated(_ verdict: Verdict, _ job: Job) -> [Effect] {
    if case .registered(let status) = verdict, !job.isKnownGood {
      [.register(job, status: status)]
    } else {
      [.release(job)]
    }
  }

  private mutating func registered(_ job: Job, status: Int, at moment: Moment) -> [Effect] {
    doubted.remove(job.key.row)
    blame.acquit(job.key.row)
    blame.somebodySucceeded()
    // A key that is registered already says nothing of those that are not.
    guard !job.isKnownGood else { return answered(job, isSuccess: true, at: moment) }
    var effects: [Effect] = [.register(job, status: status)]
    effects += denials.believe().map { judge($0) }
    if case .holding(let hold, _) = state, hold.reason == .refused {
      state = .open(Failures())
      return effects + [.ended(.refused)]
    }
    return effects + answered(job, isSuccess: true, at: moment)
  }

  /// 400, 404, 409, 410 or 422 in the API's own word.
  private mutating func denied(_ charge: Charge, at moment: Moment) -> [Effect] {
    let job = charge.job
    doubted.remove(job.key.row)
    blame.acquit(job.key.row)
    if case .holding(let hold, _) = state, hold.reason == .refused {
      if job.isProbe { probeLater(at: moment) }
      return [.release(job)]
    }
    if case .holding = state, !job.isProbe { return [.release(job)] }
    let effects = answered(job, isSuccess: false, at: moment)
    guard !job.isKnownGood else { return effects }
    let (settled, isEverybody) = denials.note(charge)
    if isEverybody { return effects + hold(.refused, charge.fault, at: moment) }
    let isSettled = settled.contains { $0.job.order == job.order }
    return effects + settled.map { judge($0) } + (isSettled ? [] : [.keep(job)])
  }

  /// What an answer of the API, whatever it says of its key, means for others.
  private mutating func answered(_ job: Job, isSuccess: Bool, at moment: Moment) -> [Effect] {
    switch state {
    case .open(var failures):
      let guilty = failures.guilty(before: job)
      quietUntil = -.infinity
      state = .open(Failures(exhausted: failures.exhausted, last: failures.last))
      return guilty.map { fail($0) }
    case .inquiring(.outage(var failures), _):
      guard job.isProbe else { return [] }
      let guilty = failures.guilty(before: job)
      quietUntil = -.infinity
      patience = min(patience * 2, Self.patiences.upperBound)
      state = .open(Failures(exhausted: failures.exhausted, last: failures.last))
      return guilty.map { fail($0) }
    case .inquiring(.credentials(var suspicion), _):
      guard job.isProbe else { return [] }
      var effects: [Effect] = []
      if isSuccess {
        effects = suspicion.suspects.filter { $0.sent < job.order }.map { believe($0) }
        suspicion.suspects.removeAll { $0.sent < job.order }
      }
      if suspicion.suspects.isEmpty {
        state = .open(Failures())
      } else {
        state = .inquiring(
          .credentials(Suspicion(suspects: suspicion.suspects)), Canary(due: moment.now))
      }
      return effects
    case .holding(let hold, _):
      guard job.isProbe, hold.reason != .refused else { return [] }
      if let trigger = hold.trigger, trigger != job.key.row { blame.blame(trigger) }
      quietUntil = -.infinity
      state = .open(Failures())
      return [.ended(hold.reason)]
    }
  }

  /// The key is out of attempts. Should somebody want it tried again, an earlier 403 says nothing of it any more.
  private mutating func fail(_ charge: Charge) -> Effect {
    doubted.remove(charge.job.key.row)
    return .fail(charge.job, charge.fault)
  }

  private mutating func unauthorized(_ charge: Charge, at moment: Moment) -> [Effect] {
    if case .holding(let hold, _) = state, hold.reason == .credentials {
      if charge.job.isProbe { probeLater(at: moment) }
      return [.release(charge.job)]
    }
    if let effects = putOff(charge) { return effects }
    return [.release(charge.job)] + hold(.credentials, charge.fault, trigger: charge.job.key.row, at: moment)
  }

  private mutating func forbidden(_ charge: Charge, sent: Int, at moment: Moment) -> [Effect] {
    let job = charge.job
    var effects: [Effect] = []
    var suspicion = Suspicion()
    switch state {
    case .holding(let hold, _) where hold.reason != .outage || !job.isProbe:
      if job.isProbe { probeLater(at: moment) }
      return [.release(job)]
    case .holding(let hold, _): effects.append(.ended(hold.reason))
    case .inquiring(.credentials(let known), _):
      suspicion = known
      if job.isProbe { suspicion.refusedCanaries += 1 }
      if job.isProbe, job.isKnownGood || suspicion.refusedCanaries >= Suspicion.canaries {
        return [.release(job)] + hold(.credentials, charge.fault, at: moment)
      }
    case .inquiring(.outage, _), .open: effects += releaseWaiting()
    }
    if !job.isKnownGood { suspicion.suspects.append(.init(job: job, fault: charge.fault, sent: sent)) }
    inquire(.credentials(suspicion), now: moment.now)
    return effects + [.keep(job)]
  }

  private mutating func unanswered(_ charge: Charge, wait: Seconds, at moment: Moment) -> [Effect] {
    let wait = min(max(0, wait), Self.longestAsked)
    if wait > 0 { quietUntil = max(quietUntil, moment.now + wait) }
    let job = charge.job
    switch state {
    case .open(let failures): return self.charge(charge, failures, wait: wait, at: moment)
    case .holding(var hold, var canary):
      guard job.isProbe else {
        // A request that was under way before may be answered with a longer wait than the one that began the hold.
        if hold.reason == .outage { canary.due = max(canary.due, quietUntil) }
        state = .holding(hold, canary)
        return [.release(job)]
      }
      if hold.reason == .outage { hold.fault = charge.fault }
      state = .holding(hold, canary)
      probeLater(at: moment)
      return [.release(job)]
    case .inquiring(.outage(let failures), var canary):
      if job.isProbe || quietUntil > moment.now + Self.longestInquiry {
        return [.release(job)] + hold(.outage, charge.fault, at: moment)
      }
      canary.due = max(canary.due, quietUntil)
      state = .inquiring(.outage(failures), canary)
      return [.release(job)]
    case .inquiring(.credentials(var suspicion), var canary):
      guard job.isProbe else { return [.release(job)] }
      suspicion.lostCanaries += 1
      if suspicion.lostCanaries >= Suspicion.canaries {
        return [.release(job)] + hold(.outage, charge.fault, at: moment)
      }
      canary.returns += 1
      canary.due = max(quietUntil, moment.now + outageDelay(canary.returns))
      state = .inquiring(.credentials(suspicion), canary)
      return [.release(job)]
    }
  }

  /// A redirect or a refused certificate: no second request goes there to find out whether it was meant.
  private mutating func misdirected(_ charge: Charge, at moment: Moment) -> [Effect] {
    if case .holding(var hold, let canary) = state, hold.reason == .outage {
      if charge.job.isProbe {
        hold.fault = charge.fault
        state = .holding(hold, canary)
        probeLater(at: moment)
      }
      return [.release(charge.job)]
    }
    if let effects = putOff(charge) { return effects }
    return [.release(charge.job)] + hold(.outage, charge.fault, trigger: charge.job.key.row, at: moment)
  }
}
