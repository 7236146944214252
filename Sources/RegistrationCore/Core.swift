package import RateLimit
import Registration

/// The heart of the daemon: which key is sent next and when, what a reply means, what holds. Events go in, actions come
/// out.
///
/// A pure value: it knows no clock, lock, file or socket. `WorkerPool` tells it what happens and does what it wants.
/// Requests are handed out on `Event.tick` only; every batch of events ends with one.
package struct Core: Sendable {
  package internal(set) var pacer: Pacer
  package internal(set) var holds: Holds
  package internal(set) var ledger = KeyLedger()
  /// Requests under way, by their order.
  var requests: [Int: Request] = [:]
  /// Requests handed out since the start.
  package internal(set) var sent = 0
  /// Why nothing more is sent, as of the last tick; nil while every worker is busy.
  package internal(set) var standstill: Standstill?
  package private(set) var pause: Pause?
  package private(set) var isStopping = false

  var known: KnownKey
  /// The credentials in force, as the queue numbers them.
  var registrar: Int64?
  /// Counts changes of credentials and endpoint.
  var epoch = 0
  /// Requests that may be under way at a time.
  package private(set) var workers: Int
  /// Why the disk cannot be used, while it cannot.
  var faults: [Store: String] = [:]
  var isReading = false
  /// Keys are not read before this time: a disk that refused is asked again later.
  var readsAgainAt: Seconds = -.infinity
  var retry: RetryPolicy
  /// When a tick is to come.
  var wakeAt: Seconds?
  var limitNews = LimitNews()
  /// Until when a server has asked to be left alone, as it was last told.
  private var toldQuietUntil: Seconds?

  struct Request: Sendable {
    var job: Job
    var permit: Permit
  }

  /// Keys in hand beyond which nothing more is sent: so many are sent again at most after a kill.
  package static let inHandAtMost = 192
  /// Seconds after which a disk that refused to be read is asked again.
  private static let readAgainAfter: Seconds = 1

  /// - Parameter asked: What a server in trouble had asked an earlier run.
  package init(
    pacer: Pacer, holds: Holds, settings: CoreSettings, pause: Pause? = nil, asked: AskedToWait? = nil,
    at moment: Moment
  ) {
    self.pacer = pacer
    self.holds = holds
    self.pause = pause
    registrar = settings.registrar
    known = KnownKey(settings.canary, at: moment)
    workers = settings.pacer.workers
    retry = settings.retry
    if let asked {
      self.holds.goOnWaiting(asked, now: moment.now)
      toldQuietUntil = self.holds.quietUntil
    }
    standstill = obstacle ?? self.holds.hold.map(Standstill.hold)
  }

  /// Takes in one event and says what is to be done.
  package mutating func take(_ event: Event, at moment: Moment) -> [Action] {
    var actions: [Action] = []
    switch event {
    case .tick(let open): handOut(open: open, at: moment, &actions)
    // Whatever it still waits for, the next tick says anew.
    case .alarm: wakeAt = nil
    case .keys(let page):
      isReading = false
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
    case .storeFailed(let store, let words):
      if store == .keys {
        isReading = false
        readsAgainAt = moment.now + Self.readAgainAfter
      }
      if faults.updateValue(words, forKey: store) == nil { actions.append(.tell(.diskHoldBegan(words))) }
    case .stop: isStopping = true
    }
    tellQuiet(at: moment, &actions)
    return actions
  }

  private mutating func recover(_ store: Store, _ actions: inout [Action]) {
    if faults.removeValue(forKey: store) != nil, faults.isEmpty { actions.append(.tell(.diskHoldEnded)) }
  }

  private mutating func apply(_ settings: CoreSettings, at moment: Moment, _ actions: inout [Action]) {
    pacer.apply(settings.pacer, now: moment.now)
    workers = settings.pacer.workers
    retry = settings.retry
    registrar = settings.registrar
    if settings.isNew {
      epoch += 1
      known = KnownKey(settings.canary, at: moment)
    }
    apply(holds.reloaded(retry: retry, isNew: settings.isNew, now: moment.now), at: moment, &actions)
  }

  /// What a server in trouble has asked for outlives a restart, so it is told when it changes by more than a few seconds.
  private mutating func tellQuiet(at moment: Moment, _ actions: inout [Action]) {
    if let told = toldQuietUntil, told <= moment.now { toldQuietUntil = nil }
    guard let hold = holds.hold, hold.reason == .outage, holds.quietUntil > moment.now + Holds.longestInquiry else {
      if toldQuietUntil != nil, holds.quietUntil == -.infinity {
        toldQuietUntil = nil
        actions.append(.tell(.askedToWait(nil)))
      }
      return
    }
    guard holds.quietUntil > (toldQuietUntil ?? -.infinity) + 5 else { return }
    toldQuietUntil = holds.quietUntil
    actions.append(
      .tell(
        .askedToWait(AskedToWait(seconds: holds.quietUntil - moment.now, fault: hold.fault, since: hold.since))))
  }
}

// MARK: - What is seen of it

extension Core {
  /// Keys in the memory of this process that are neither due nor recorded: sent, kept or on their way to disk.
  package var inHand: Int { ledger.inHand }

  /// Requests under way.
  package var busy: Int { requests.count }

  /// No reply is awaited and every result is on disk. Keys that wait for a canary's word are simply still open.
  package var isSettled: Bool { requests.isEmpty && ledger.isRecorded }

  /// Why the disk cannot be used, in words for the operator; nil while it can.
  package var diskFault: String? { faults[.results] ?? faults[.keys] }
}
