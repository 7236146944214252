package import RateLimit
import Registration

/// The core of the daemon: which key is sent next and when, what a reply means, when to hold. Events go in, actions
/// come out.
///
/// A pure value without clock, lock, file or socket. `WorkerPool` feeds it events and carries out its actions. Requests
/// are handed out only on `Event.tick`, which ends every batch of events.
package struct Core: Sendable {
  package internal(set) var pacer: Pacer
  package internal(set) var holds: Holds
  package internal(set) var ledger = KeyLedger()
  /// Requests in flight, by their number (`Job.order`).
  var requests: [Int: Request] = [:]
  /// Requests handed out since the start.
  package internal(set) var sent = 0
  /// Why nothing more is sent, as of the last tick; nil while every worker is busy.
  package internal(set) var standstill: Standstill?
  package private(set) var pause: Pause?
  package private(set) var isStopping = false

  var known: KnownKey
  /// The number that the queue gave the current credentials.
  var registrar: Int64?
  /// Counts changes of credentials and endpoint.
  var epoch = 0
  /// Counts changes of the endpoint, each of which has its own pacer.
  var endpoint = 0
  /// How many requests may be in flight.
  package private(set) var workers: Int
  var readAhead = ReadAhead.idle
  /// Why results cannot be written; nil while they can.
  private var writeFault: DiskFault?
  var retry: RetryPolicy
  /// When the next tick is needed.
  var wakeAt: Seconds?
  var limitNews: LimitNews
  /// Until when a server wants no requests, as last reported.
  private var reportedQuietUntil: Seconds?

  struct Request: Sendable {
    var job: Job
    var permit: Permit
    /// Which of the endpoints it was sent to.
    var endpoint: Int
  }

  /// Nothing is sent while more keys than this are in hand: at most this many are sent again after a kill.
  package static let inHandAtMost = 192

  /// - Parameters:
  ///   - asked: The delay that a failing server asked an earlier run for.
  ///   - told: The limits as an earlier run last logged them.
  package init(
    pacer: Pacer, holds: Holds, settings: CoreSettings, pause: Pause? = nil, asked: AskedToWait? = nil,
    told: [KnownLimit] = [], at moment: Moment
  ) {
    limitNews = LimitNews(told: told)
    self.pacer = pacer
    self.holds = holds
    self.pause = pause
    registrar = settings.registrar
    known = KnownKey(settings.canary, at: moment)
    workers = settings.pacer.workers
    retry = settings.retry
    // A delay that was asked of other credentials, or by another endpoint, does not apply.
    if let asked, asked.registrar == registrar {
      self.holds.resumeWait(asked, now: moment.now)
      reportedQuietUntil = self.holds.quietUntil
    }
    standstill = obstacle ?? self.holds.hold.map(Standstill.hold)
  }

  /// Takes in one event and returns what is to be done.
  package mutating func take(_ event: Event, at moment: Moment) -> [Action] {
    var actions: [Action] = []
    switch event {
    case .tick(let open): handOut(open: open, at: moment, &actions)
    // If it is still needed, the next tick sets it again.
    case .alarm: wakeAt = nil
    case .keys(let page):
      recover(.keys, &actions)
      ledger.supply(page.keys, isAll: page.isAll, nextDue: page.nextDue, generation: page.generation)
    case .reply(let answer, let order): receive(answer, order: order, at: moment, &actions)
    case .committed(let results):
      recover(.results, &actions)
      ledger.committed(results)
    case .keysChanged: ledger.keysChanged()
    case .settings(let settings): apply(settings, at: moment, &actions)
    case .believe: apply(holds.believe(), at: moment, &actions)
    case .pause(let pause): self.pause = pause
    case .storeFailed(let fault): hold(fault, now: moment.now, &actions)
    case .stop: isStopping = true
    }
    reportQuiet(at: moment, &actions)
    return actions
  }

  private mutating func hold(_ fault: DiskFault, now: Seconds, _ actions: inout [Action]) {
    let isNews: Bool
    switch fault.store {
    case .keys:
      isNews = readAhead.fault == nil
      readAhead = .failed(fault, again: now + ReadAhead.againAfter)
    case .results:
      isNews = writeFault == nil
      writeFault = fault
    }
    if isNews { actions.append(.tell(.diskHoldBegan(fault))) }
  }

  private mutating func recover(_ store: DiskFault.Store, _ actions: inout [Action]) {
    let wasHeld = diskFault != nil
    switch store {
    case .keys: readAhead = .idle
    case .results: writeFault = nil
    }
    if wasHeld, diskFault == nil { actions.append(.tell(.diskHoldEnded)) }
  }

  private mutating func apply(_ settings: CoreSettings, at moment: Moment, _ actions: inout [Action]) {
    if settings.change == .endpoint {
      // What the former endpoint said about limits and waits does not hold for the new one.
      pacer = Pacer(settings: settings.pacer, seed: holds.random.next(), now: moment.now)
      endpoint += 1
    } else {
      pacer.apply(settings.pacer, now: moment.now)
    }
    workers = settings.pacer.workers
    retry = settings.retry
    registrar = settings.registrar
    if settings.change != .none {
      epoch += 1
      known = KnownKey(settings.canary, at: moment)
    }
    apply(holds.reloaded(retry: retry, isNew: settings.change != .none, now: moment.now), at: moment, &actions)
  }

  /// A failing server's request for a delay survives a restart, so it is reported when it changes by more than a few
  /// seconds.
  private mutating func reportQuiet(at moment: Moment, _ actions: inout [Action]) {
    if let told = reportedQuietUntil, told <= moment.now { reportedQuietUntil = nil }
    guard let hold = holds.hold, hold.reason == .outage, holds.quietUntil > moment.now + Holds.longestInquiry else {
      if reportedQuietUntil != nil, holds.quietUntil == -.infinity {
        reportedQuietUntil = nil
        actions.append(.tell(.askedToWait(nil)))
      }
      return
    }
    guard holds.quietUntil > (reportedQuietUntil ?? -.infinity) + 5 else { return }
    reportedQuietUntil = holds.quietUntil
    actions.append(
      .tell(
        .askedToWait(
          AskedToWait(
            seconds: holds.quietUntil - moment.now, fault: hold.fault, since: hold.since, registrar: registrar))))
  }
}

// MARK: - Observable state

extension Core {
  /// Keys in the memory of this process that are neither due nor recorded: sent, kept or being written.
  package var inHand: Int { ledger.inHand }

  /// Requests in flight.
  package var busy: Int { requests.count }

  /// The order of the request that the pacer sent alone; nil while there is none.
  package var pacerProbe: Int? {
    pacer.probe.flatMap { probe in requests.first { $0.value.permit == probe && $0.value.endpoint == endpoint }?.key }
  }

  /// No reply is outstanding and every result is on disk. Keys that wait for a canary simply stay open.
  package var isSettled: Bool { requests.isEmpty && ledger.isRecorded }

  /// Why the disk cannot be used; nil while it can.
  package var diskFault: DiskFault? { writeFault ?? readAhead.fault }
}
