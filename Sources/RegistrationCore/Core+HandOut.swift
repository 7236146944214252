import RateLimit
import Registration

/// Handing out: which request is sent now, and why no more are sent.
extension Core {
  private enum Next {
    case send(Job)
    /// Keys were decided on: try again.
    case again
    /// Send nothing before `until`, or before something else happens.
    case still(Standstill, until: Seconds?)
  }

  mutating func handOut(open: Int, at moment: Moment, _ actions: inout [Action]) {
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
    // After a disk fault, a read is tried even if no keys are needed: nothing else shows that the disk works again.
    if ledger.wantsKeys || readAhead.fault != nil, !isStopping, let at = readAhead.nextRead {
      if moment.now >= at {
        readAhead = .underWay(after: readAhead.fault)
        actions.append(.read(wantedKeys))
        ledger.readBegins()
      } else {
        wake = min(wake ?? .infinity, at)
      }
    }
    guard let wake, wakeAt.map({ abs($0 - wake) > 0.0005 }) ?? true else { return }
    wakeAt = wake
    actions.append(.wake(at: wake))
  }

  /// Why nothing may be sent, whatever the keys and limits.
  var obstacle: Standstill? {
    if isStopping { return .stopping }
    if let pause { return .paused(pause) }
    if let diskFault { return .disk(diskFault) }
    return inHand > Self.inHandAtMost ? .recording : nil
  }

  private var wantedKeys: KeyRead {
    KeyRead(
      except: ledger.taken, isSample: holds.hold != nil, generation: ledger.generation,
      horizon: max(retry.maxDelay, retry.firstDelay, Holds.longestAsked) + 60, turn: ledger.nextTurn)
  }

  /// Decides on the next request. After `.send` the key is in flight.
  ///
  /// - Parameter open: Keys without an outcome in the whole queue.
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
    if choice != nil { holds.probeSent(order: sent) }
    var job = Job(key: key, order: sent, sentAt: moment.wall, isProbe: choice != nil, isKnownGood: canary != nil)
    job.registrar = registrar
    job.epoch = epoch
    job.reading = ledger.reading
    requests[sent] = Request(job: job, permit: pacer.send(now: moment.now), endpoint: endpoint)
    return .send(job)
  }

  /// The known key, if it is to be the canary now.
  private func knownKey(for choice: Canary.Choice, now: Seconds) -> DueKey? {
    // While a read may still bring a key, it is too early to say that none is waiting.
    let mayHaveKey = ledger.hasKey || !ledger.isDrained
    // One that is to be registered again is no witness of itself. One whose registration is being written is the best.
    let known = known.current(at: now).flatMap { ledger.awaitsAnswer($0.row) ? nil : $0 }
    return switch choice {
    case .waitingOnly: nil
    case .another: mayHaveKey ? nil : known
    case .alternating: self.known.isSpared && mayHaveKey ? nil : known
    case .known: known
    }
  }

  private mutating func withoutKey(isProbe: Bool, at moment: Moment, _ actions: inout [Action]) -> Next {
    // While a read may bring a key or a reply is due, it is too early to say that there is no other.
    if ledger.isDrained, requests.isEmpty, holds.waiting > 0, isProbe || ledger.isRecorded {
      let wasOpen = holds.isOpen
      let effects = isProbe ? holds.noCanary(at: moment) : holds.idle(at: moment)
      apply(effects, at: moment, &actions)
      if !effects.isEmpty || holds.isOpen != wasOpen { return .again }
    }
    let decision = holds.denialsStandFrom.flatMap { $0 > moment.now ? $0 : nil }
    return .still(.nothingDue(next: ledger.nextDue), until: [ledger.nextDue, decision].compactMap(\.self).min())
  }
}
