package import RateLimit
package import Registration

extension Holds {
  /// Takes in one reply and returns what happens to the keys that it decides on.
  ///
  /// - Parameters:
  ///   - sent: Requests sent so far, including this one.
  ///   - wait: Seconds that a failing server asks for, 0 if it names none.
  package mutating func observe(
    _ verdict: Verdict, for job: Job, sent: Int, wait: Seconds = 0, at moment: Moment
  ) -> [Effect] {
    // A late reply to an earlier canary does not let a second one go.
    if canary.inFlight == job.order { changeCanary { $0.inFlight = nil } }
    guard !job.isOutdated else { return outdated(verdict, job) }
    switch verdict {
    case .registered(let status): return registered(job, status: status, at: moment)
    case .failed(let status, let title, let detail):
      return denied(Charge(job: job, fault: RequestFault(status: status, title: title, detail: detail)), at: moment)
    case .throttled, .stale: return [.release(job)]
    case .unauthorized(let detail):
      return unauthorized(
        Charge(job: job, fault: RequestFault(status: 401, title: "Unauthorized", detail: detail)), at: moment)
    case .forbidden(let title, let detail):
      return forbidden(
        Charge(job: job, fault: RequestFault(status: 403, title: title, detail: detail)), sent: sent, at: moment)
    case .unsettled(let status, let title, let detail):
      return unanswered(
        Charge(job: job, fault: RequestFault(status: status, title: title, detail: detail)), wait: wait, at: moment)
    case .unanswered(let title, let detail):
      return unanswered(
        Charge(job: job, fault: RequestFault(status: nil, title: title, detail: detail)), wait: wait, at: moment)
    case .misdirected(let status, let title, let detail):
      return misdirected(
        Charge(job: job, fault: RequestFault(status: status, title: title, detail: detail)), at: moment)
    }
  }

  /// With old credentials only a success means anything, and only for its own key.
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
    blame.somebodyAnswered()
    // A key that is already registered says nothing about those that are not.
    guard !job.isKnownGood else { return answered(job, isSuccess: true, at: moment) }
    var effects: [Effect] = [.register(job, status: status)]
    effects += denials.believe().map { judge($0) }
    if case .holding(let hold, _) = state, hold.reason == .refused {
      state = .open(Failures())
      return effects + [.ended(.refused)]
    }
    return effects + answered(job, isSuccess: true, at: moment)
  }

  /// The API itself answered 400, 404, 409, 410 or 422.
  private mutating func denied(_ charge: Charge, at moment: Moment) -> [Effect] {
    let job = charge.job
    doubted.remove(job.key.row)
    blame.acquit(job.key.row)
    blame.somebodyAnswered()
    if case .holding(let hold, _) = state, hold.reason == .refused {
      if job.isProbe { probeLater(after: charge.fault, at: moment) }
      return [.release(job)]
    }
    if case .holding = state, !job.isProbe { return [.release(job)] }
    let effects = answered(job, isSuccess: false, at: moment)
    guard !job.isKnownGood else { return effects }
    let (settled, isShared) = denials.note(charge, now: moment.now)
    if isShared { return effects + hold(.refused, charge.fault, at: moment) }
    let isSettled = settled.contains { $0.job.order == job.order }
    return effects + settled.map { judge($0) } + (isSettled ? [] : [.keep(job)])
  }

  /// What an answer of the API, whatever it says about its key, means for others.
  private mutating func answered(_ job: Job, isSuccess: Bool, at moment: Moment) -> [Effect] {
    canaries = 0
    switch state {
    case .open(var failures):
      let (charges, guilty) = failures.end(by: job)
      quietUntil = -.infinity
      state = .open(failures)
      return charges + guilty.map { fail($0) }
    case .inquiring(.outage(var failures), _):
      guard job.isProbe else { return [] }
      let (charges, guilty) = failures.end(by: job)
      quietUntil = -.infinity
      patience = min(patience * 2, Self.patiences.upperBound)
      state = .open(failures)
      return charges + guilty.map { fail($0) }
    case .inquiring(.credentials(var suspicion), _):
      guard job.isProbe else { return [] }
      let (charges, guilty) = suspicion.failures.end(by: job)
      var effects = charges + guilty.map { fail($0) }
      if isSuccess {
        effects += suspicion.suspects.filter { $0.sent < job.order }.map { believe($0) }
        suspicion.suspects.removeAll { $0.sent < job.order }
      }
      let failures = suspicion.failures
      if suspicion.suspects.isEmpty {
        state = .open(failures)
      } else {
        state = .inquiring(
          .credentials(
            Suspicion(
              suspects: suspicion.suspects, failures: failures,
              // The API's word on another key proves nothing about these credentials.
              refusedCanaries: isSuccess ? 0 : suspicion.refusedCanaries)),
          Canary(due: moment.now, inFlight: canary.inFlight))
      }
      return effects
    case .holding(let hold, _):
      guard job.isProbe, hold.reason != .refused else { return [] }
      // What a 403 means is decided by a success. As long as there was none, others get their turn first.
      let isUndecided = hold.reason == .credentials && hold.fault.status == 403 && !denials.isUnproven
      if !isUndecided { blameTriggers(of: hold, except: job) }
      quietUntil = -.infinity
      state = .open(Failures())
      return [.ended(hold.reason)]
    }
  }

  /// The API's answer to `witness` ends the hold: those that began it were at fault.
  private mutating func blameTriggers(of hold: Hold, except witness: Job) {
    for row in hold.triggers where row != witness.key.row { blame.blame(row) }
  }

  private mutating func unauthorized(_ charge: Charge, at moment: Moment) -> [Effect] {
    if case .holding(var hold, let canary) = state, hold.reason == .credentials {
      // If another is answered, it was the trouble as well.
      if !charge.job.isKnownGood { hold.triggers.insert(charge.job.key.row) }
      state = .holding(hold, canary)
      return charge.job.isProbe ? returned(charge, at: moment) : [.release(charge.job)]
    }
    if let effects = putOff(charge) { return effects }
    return [.release(charge.job)] + hold(.credentials, charge.fault, triggers: [charge.job.key.row], at: moment)
  }

  private mutating func forbidden(_ charge: Charge, sent: Int, at moment: Moment) -> [Effect] {
    let job = charge.job
    if denials.isUnproven, let effects = putOff(charge) { return effects }
    blame.somebodyAnswered()
    var effects: [Effect] = []
    var suspicion = Suspicion()
    switch state {
    case .holding(let hold, _) where hold.reason != .outage || !job.isProbe:
      return job.isProbe ? returned(charge, at: moment) : [.release(job)]
    case .holding(let hold, _):
      blameTriggers(of: hold, except: job)
      effects.append(.ended(hold.reason))
    case .inquiring(.credentials(let known), _):
      suspicion = known
      if job.isProbe { suspicion.refusedCanaries += 1 }
      if job.isProbe, job.isKnownGood || suspicion.refusedCanaries >= Suspicion.canaries {
        let triggers = suspicion.rows.union(job.isKnownGood ? [] : [job.key.row])
        return [.release(job)] + hold(.credentials, charge.fault, triggers: triggers, at: moment)
      }
    case .inquiring(.outage(let failures), _), .open(let failures): suspicion.failures = failures
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
        // A request that was already in flight may be answered with a longer wait than the one that began the hold.
        if hold.reason == .outage { canary.due = max(canary.due, quietUntil) }
        state = .holding(hold, canary)
        return [.release(job)]
      }
      if hold.reason == .outage { hold.fault = charge.fault }
      state = .holding(hold, canary)
      return returned(charge, at: moment)
    case .inquiring(.outage(let failures), var canary):
      // The second canary decides, unless the server says when to come back.
      if job.isProbe && canary.returns > 0 || quietUntil > moment.now + Self.longestInquiry {
        return [.release(job)] + hold(.outage, charge.fault, at: moment)
      }
      if job.isProbe {
        canary.returns += 1
        canary.due = moment.now + outageDelay(canary.returns)
      }
      canary.due = max(canary.due, quietUntil)
      state = .inquiring(.outage(failures), canary)
      return [.release(job)]
    case .inquiring(.credentials(var suspicion), var canary):
      if quietUntil > moment.now + Self.longestInquiry {
        return [.release(job)] + hold(.outage, charge.fault, at: moment)
      }
      guard job.isProbe else { return [.release(job)] }
      if !job.isKnownGood {
        if let effects = putOff(charge) { return effects }
        suspicion.lostRows.insert(job.key.row)
      }
      suspicion.lostCanaries += 1
      if suspicion.lostCanaries >= Suspicion.canaries {
        return [.release(job)] + hold(.outage, charge.fault, triggers: suspicion.lostRows, at: moment)
      }
      canary.returns += 1
      canary.due = max(quietUntil, moment.now + outageDelay(canary.returns))
      state = .inquiring(.credentials(suspicion), canary)
      return [.release(job)]
    }
  }

  /// A redirect or a bad certificate: no second request is sent to find out whether it was intended.
  private mutating func misdirected(_ charge: Charge, at moment: Moment) -> [Effect] {
    if case .holding(var hold, let canary) = state, hold.reason == .outage {
      guard charge.job.isProbe else { return [.release(charge.job)] }
      hold.fault = charge.fault
      state = .holding(hold, canary)
      return returned(charge, at: moment)
    }
    if let effects = putOff(charge) { return effects }
    return [.release(charge.job)] + hold(.outage, charge.fault, triggers: [charge.job.key.row], at: moment)
  }
}
