package import RateLimit
package import Registration
import RegistrationAPI
package import RegistrationCore

/// What surrounds the core: the idle workers, the settings for the next request, and what was counted. A value, so that
/// one lock guards all of it.
struct Shell: Sendable {
  private(set) var core: Core
  private(set) var settings: APISettings
  private(set) var evidence: LimitEvidence
  /// Workers without a request; the last one back goes first, because its connection is the most recently used.
  private var idle: [Int]
  private var statistics: Statistics
  private var lastError: (at: Timestamp, message: String)?
  /// Since when time has been counted for the current standstill and phase, in seconds on the monotonic clock.
  private var standingSince: Seconds
  private var phase = Phase.idle
  /// Nil before the first tick.
  private var phaseSince: Timestamp?

  /// - Parameter lastSuccess: When an earlier run last registered a key.
  init(
    core: Core, settings: APISettings, evidence: LimitEvidence, workers: Int, lastSuccess: Timestamp? = nil,
    now: Seconds
  ) {
    self.core = core
    self.settings = settings
    self.evidence = evidence
    idle = (0..<workers).reversed()
    statistics = Statistics(lastSuccessAt: lastSuccess)
    standingSince = now
  }

  /// Takes in one piece of news and returns what is to be done.
  mutating func take(_ mail: Inbox.Mail) -> [Action] {
    switch mail.content {
    case .exchange(let exchange, let order, let worker):
      idle.append(worker)
      statistics.received(exchange, at: mail.moment.wall)
      if let message = exchange.verdict.trouble { lastError = (mail.moment.wall, message) }
      let actions = core.take(.reply(Answer(exchange.verdict, paced: exchange.paced), order: order), at: mail.moment)
      note(exchange, actions, at: mail.moment.wall)
      return actions
    case .event(let event):
      switch event {
      case .committed(let results):
        statistics.settled(results, now: mail.moment.now, wall: mail.moment.wall)
      case .storeFailed(let fault): lastError = (mail.moment.wall, fault.detail)
      default: break
      }
      return core.take(event, at: mail.moment)
    }
  }

  /// Takes settings into use, from the next request on.
  mutating func apply(_ new: APISettings) {
    if settings.endpoint.base != new.endpoint.base { evidence = LimitEvidence(endpoint: new.endpoint.base) }
    settings = new
  }

  private mutating func note(_ exchange: Exchange, _ actions: [Action], at: Timestamp) {
    evidence.received(exchange, at: at)
    for case .tell(.limitsChanged(let limits, _)) in actions { evidence.changed(limits, by: exchange, at: at) }
  }

  /// Ends a batch: what may be sent is handed out.
  ///
  /// - Parameter open: Keys without an outcome in the whole queue.
  mutating func tick(open: Int, at moment: Moment) -> [Action] {
    statistics.stood(core.standstill, phase, isBusy: core.busy > 0, from: standingSince, to: moment.now)
    let actions = core.take(.tick(open: open), at: moment)
    standingSince = moment.now
    let next = Phase(
      core.standstill, isBusy: core.busy > 0, inHand: core.inHand, open: open, after: phase, now: moment.now)
    if next != phase || phaseSince == nil { (phase, phaseSince) = (next, moment.wall) }
    return actions
  }

  /// Gives a request to an idle worker. There is one: the core never has more requests in flight than workers.
  mutating func assign(_ job: Job) -> Assignment { Assignment(worker: idle.removeLast(), job: job, settings: settings) }

  /// - Parameter open: Keys without an outcome in the whole queue.
  func snapshot(open: Int, at moment: Moment) -> PoolSnapshot {
    var statistics = statistics
    statistics.stood(core.standstill, phase, isBusy: core.busy > 0, from: standingSince, to: moment.now)
    return PoolSnapshot(
      standstill: core.standstill, standing: core.pacer.standing(now: moment.now, backlog: max(0, open - core.inHand)),
      statistics: statistics, inFlight: core.inHand, busy: core.busy, size: core.workers, pause: core.pause,
      lastError: lastError, refusals: evidence.refusals, perSecond: statistics.throughput.perSecond(now: moment.now),
      nextProbeAt: core.holds.nextProbe, phase: phase, phaseSince: phaseSince, now: moment.now)
  }
}

/// The pool at one moment, for status and metrics.
package struct PoolSnapshot: Sendable {
  /// Why nothing more is sent; nil while every worker is busy.
  package var standstill: Standstill?
  package var standing: LimitStanding
  package var statistics: Statistics
  package var inFlight: Int
  package var busy: Int
  package var size: Int
  package var pause: Pause?
  package var lastError: (at: Timestamp, message: String)?
  /// Replies with 429 by which the limit is known, over all restarts.
  package var refusals = 0
  /// Outcomes per second over the time in which work was possible in the last minute.
  package var perSecond: Double
  /// When the next probe of a hold goes, on the monotonic clock; nil without one, and while a probe is in flight.
  var nextProbeAt: Seconds?
  package var phase = Phase.idle
  /// When this phase began; nil when that is not known.
  package var phaseSince: Timestamp?
  /// On the monotonic clock.
  var now: Seconds

  /// Seconds until the rate limit allows the next request, nil when something else or nothing is waited for.
  package var waitsFor: Seconds? {
    if case .limit(let until) = standstill { max(0, until - now) } else { nil }
  }

  /// Seconds until the next probe of a hold.
  package var probesIn: Seconds? { nextProbeAt.map { max(0, $0 - now) } }

  /// Seconds until the next key is due, nil if one is due now or none will be.
  package var nextDueIn: Seconds? {
    if case .nothingDue(let next?) = standstill { max(0, next - now) } else { nil }
  }
}
