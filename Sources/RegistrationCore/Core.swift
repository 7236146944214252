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
  package private(set) var standstill: Standstill?
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
  private var faults: [Store: String] = [:]
  private var isReading = false
  /// Keys are not read before this time: a disk that refused is asked again later.
  private var readsAgainAt: Seconds = -.infinity
  private var retry: RetryPolicy
  /// When a tick is to come.
  private var wakeAt: Seconds?
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

// MARK: - Handing out

extension Core {
  private enum Next {
    case send(Job)
    /// Something was decided about keys: once more.
    case again
    /// Nothing before `until`, or before something else happens.
    case still(Standstill, until: Seconds?)
  }

  private mutating func handOut(open: Int, at moment: Moment, _ actions: inout [Action]) {
    if let at = wakeAt, moment.now >= at { wakeAt = nil }
    var wake: Seconds?
    standstill = nil
    hand: while true {
      standstill = obstacle
      guard standstill == nil else { break }
      guard requests.count < workers else {
        standstill = holds.hold.map(Standstill.hold)
        break
      }
      switch next(open: open - inHand, at: moment, &actions) {
      case .send(let job): actions.append(.send(job))
      case .again: continue
      case .still(_, let until?) where until <= moment.now: continue
      case .still(let reason, let until):
        standstill = holds.hold.map(Standstill.hold) ?? (holds.isOpen ? reason : .inquiry)
        wake = until
        break hand
      }
    }
    ledger.passTime(to: moment.now)
    // A disk that refused is asked again however many keys are left: nothing else tells that it is well.
    if ledger.wantsKeys || faults[.keys] != nil, !isReading, !isStopping {
      if moment.now >= readsAgainAt {
        isReading = true
        actions.append(.read(wantedKeys))
      } else {
        wake = min(wake ?? .infinity, readsAgainAt)
      }
    }
    guard let wake, wakeAt.map({ abs($0 - wake) > 0.0005 }) ?? true else { return }
    wakeAt = wake
    actions.append(.wake(at: wake))
  }

  /// Why nothing may be sent, whatever keys and limits say.
  private var obstacle: Standstill? {
    if isStopping { return .stopping }
    if let pause { return .paused(pause) }
    if let diskFault { return .disk(diskFault) }
    return inHand > Self.inHandAtMost ? .recording : nil
  }

  private var wantedKeys: KeyRead {
    KeyRead(
      except: ledger.taken, isSample: holds.hold != nil, generation: ledger.generation,
      horizon: max(retry.maxDelay, retry.firstDelay, Holds.longestAsked) + 60)
  }

  /// Decides about the next request. On `.send` the key is in flight.
  ///
  /// - Parameter open: Keys that wait in the whole queue.
  private mutating func next(open: Int, at moment: Moment, _ actions: inout [Action]) -> Next {
    ledger.passTime(to: moment.now)
    var choice: Canary.Choice?
    switch holds.gate(now: moment.now) {
    case .open: break
    case .probe(let wanted): choice = wanted
    case .closed(let until): return .still(.inquiry, until: until)
    }
    let canary = choice.flatMap { knownKey(for: $0, now: moment.now) }
    guard ledger.hasKey || canary != nil else { return withoutKey(isProbe: choice != nil, at: moment, &actions) }
    switch pacer.next(now: moment.now, backlog: max(open, 1)) {
    case .wait(let until): return .still(.limit(until: until), until: until)
    case .awaitReply: return .still(.reply, until: nil)
    case .send: break
    }
    guard let key = canary ?? ledger.take() else { return .still(.nothingDue(next: nil), until: nil) }
    sent += 1
    if choice != nil { holds.probeSent() }
    var job = Job(key: key, order: sent, sentAt: moment.wall, isProbe: choice != nil, isKnownGood: canary != nil)
    job.registrar = registrar
    job.epoch = epoch
    job.reading = ledger.reading
    requests[sent] = Request(job: job, permit: pacer.send(now: moment.now))
    return .send(job)
  }

  /// The known key, where it is to be the canary now.
  private func knownKey(for choice: Canary.Choice, now: Seconds) -> DueKey? {
    // While a read may bring a key it is too early to say that none waits.
    let mayHaveKey = ledger.hasKey || !ledger.isDrained
    return switch choice {
    case .waitingOnly: nil
    case .another: mayHaveKey ? nil : known.current(at: now)
    case .alternating: known.isSpared && mayHaveKey ? nil : known.current(at: now)
    case .known: known.current(at: now)
    }
  }

  private mutating func withoutKey(isProbe: Bool, at moment: Moment, _ actions: inout [Action]) -> Next {
    // While a read may bring a key, or a reply is to come, it is too early to say that there is no other.
    if ledger.isDrained, requests.isEmpty, holds.waiting > 0, isProbe || ledger.isRecorded {
      let wasOpen = holds.isOpen
      let effects = isProbe ? holds.noCanary(at: moment) : holds.idle(now: moment.now)
      apply(effects, at: moment, &actions)
      if !effects.isEmpty || holds.isOpen != wasOpen { return .again }
    }
    return .still(.nothingDue(next: ledger.nextDue), until: ledger.nextDue)
  }
}
