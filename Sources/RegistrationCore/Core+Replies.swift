import RateLimit
import Registration

/// What happens after a reply.
extension Core {
  mutating func receive(_ answer: Answer, order: Int, at moment: Moment, _ actions: inout [Action]) {
    guard let request = requests.removeValue(forKey: order) else { return }
    var job = request.job
    job.isOutdated = job.epoch != epoch
    if case .throttled = answer.verdict { job.isThrottled = true }
    if request.endpoint == endpoint { pacer.receive(answer.paced, for: request.permit, now: moment.now) }
    if !job.isOutdated { noteCanary(answer.verdict, job, now: moment.now) }
    // RFC 9110 lets a failing server say when to come back.
    let wait = answer.paced.kind == .serverError ? answer.paced.reading?.retryAfter ?? 0 : 0
    apply(holds.observe(answer.verdict, for: job, sent: sent, wait: wait, at: moment), at: moment, &actions)
    let news = limitNews.news(of: pacer.limits)
    if !news.limits.isEmpty { actions.append(.tell(.limitsChanged(news.limits, untold: news.untold))) }
  }

  private mutating func noteCanary(_ verdict: Verdict, _ job: Job, now: Seconds) {
    switch verdict {
    case .registered: if job.isKnownGood { known.confirmed() } else { known.registered(job.key, at: now) }
    case .throttled, .stale: break
    case .failed: known.refused(row: job.key.row)
    default: if job.isProbe { known.canaryFailed(wasKnown: job.isKnownGood) }
    }
  }

  /// Carries out what was decided about keys. Outcomes are recorded nowhere else.
  mutating func apply(_ effects: [Holds.Effect], at moment: Moment, _ actions: inout [Action]) {
    var results: [KeyResult] = []
    // First, so that a key's outcome finds all of its attempts.
    var charges: [KeyResult] = []
    var notices: [Action] = []
    for effect in effects {
      switch effect {
      case .register(let job, let status):
        holds.settled(job.key.row)
        ledger.settle(job.key.row)
        results.append(
          KeyResult(
            row: job.key.row, decision: .registered, httpStatus: status, registrar: job.registrar, sentAt: job.sentAt,
            at: moment.wall))
      case .release(let job):
        guard !job.isKnownGood else { continue }
        let isLast = job.isThrottled || job.isProbe && holds.rotatesCanaries
        ledger.giveBack(job.key, readIn: job.reading, isLast: isLast)
      case .keep(let job): if !job.isKnownGood { ledger.keep(job.key.row) }
      case .retry(let job, let fault, let delay):
        wait(job, fault, delay, at: moment, in: &results) { .retry(due: $0) }
      case .postpone(let job, let fault, let delay):
        holds.putAside(job.key.row)
        wait(job, fault, delay, at: moment, in: &results) { .postpone(due: $0) }
      case .lookAgain(let job, let fault, let delay):
        holds.putAside(job.key.row)
        wait(job, fault, delay, at: moment, in: &results) { .lookAgain(due: $0) }
      case .fail(let job, let fault):
        holds.settled(job.key.row)
        ledger.settle(job.key.row)
        results.append(fault.result(of: job, .failed, at: moment.wall))
      case .charge(let row):
        ledger.charge(row)
        for order in requests.keys where requests[order]?.job.key.row == row {
          requests[order]?.job.key.attempts += 1
        }
        charges.append(KeyResult(row: row, decision: .charge, sentAt: moment.wall, at: moment.wall))
      case .spare(let row):
        results.append(KeyResult(row: row, decision: .spare, sentAt: moment.wall, at: moment.wall))
      // A hold needs other keys read ahead than normal work does.
      case .began(let hold):
        ledger.keysChanged()
        notices.append(.tell(.holdBegan(hold)))
      case .ended(let reason):
        ledger.keysChanged()
        notices.append(.tell(.holdEnded(reason)))
      }
    }
    results = charges + results
    if !results.isEmpty { actions.append(.record(results)) }
    actions += notices
  }

  private mutating func wait(
    _ job: Job, _ fault: RequestFault, _ delay: Seconds, at moment: Moment, in results: inout [KeyResult],
    _ decision: (Timestamp) -> KeyResult.Decision
  ) {
    guard !job.isKnownGood else { return }
    ledger.wait(until: moment.now + delay)
    ledger.settle(job.key.row)
    results.append(fault.result(of: job, decision(moment.wall.adding(seconds: delay)), at: moment.wall))
  }
}

extension RequestFault {
  fileprivate func result(of job: Job, _ decision: KeyResult.Decision, at wall: Timestamp) -> KeyResult {
    KeyResult(
      row: job.key.row, decision: decision, httpStatus: status, errorTitle: title, errorDetail: detail,
      sentAt: job.sentAt, at: wall)
  }
}
