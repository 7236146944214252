// The shell and the disk: reads, writes, and start and end of the process.

import RateLimit
import Registration
import RegistrationCore

extension DaemonRun {
  func isOn(_ trouble: Trouble) -> Bool {
    plan.incidents.contains { incident in
      if case .trouble(trouble, let until, _, _) = incident.kind { incident.at <= now && now < until } else { false }
    }
  }

  /// Seconds that the disk takes.
  mutating func diskTime(_ usual: Seconds) -> Seconds {
    usual * random.unit() * (isOn(.diskIsSlow) ? 200 : 1)
  }

  private mutating func post(_ event: Event, after delay: Seconds) {
    agenda.add(.post(event), at: now + delay, process: process?.number)
  }

  mutating func keysChanged() {
    guard process != nil else { return }
    process?.changesToTell += 1
    // Usually at once.
    let chance = random.unit()
    post(.keysChanged, after: 0.02 * chance * chance * chance)
  }

  // MARK: - Keys

  mutating func readKeys(_ read: KeyRead) {
    guard !isOn(.diskRefusesKeys) else { return post(.storeFailed(DiskFault(.keys, "disk I/O error")), after: 0) }
    let page = read.page(from: &self)
    turnWatch.read()
    post(.keys(page), after: diskTime(0.005))
  }

  // MARK: - Results

  mutating func record(_ results: [KeyResult]) {
    if results.contains(where: \.decision.isOutcome) { fruitless = 0 }
    if process?.results.add(results) == true { write() }
  }

  mutating func write() {
    guard let current = process else { return }
    switch current.results.next(now: now) {
    case .rest: return
    case .collect(let seconds): agenda.add(.write, at: now + seconds, process: current.number)
    case .write(let group):
      process?.writing = group
      agenda.add(.written, at: now + diskTime(0.02), process: current.number)
    }
  }

  /// The results being written are now on disk; the core learns of it a moment later.
  mutating func written() {
    guard case let group? = process?.writing, let number = process?.number else { return }
    process?.writing = []
    guard !isOn(.diskRefusesResults) else {
      if process?.results.refused() == true {
        post(.storeFailed(DiskFault(.results, "database or disk is full")), after: 0)
      }
      return agenda.add(.write, at: now + UnwrittenResults.tryAgainAfter, process: number)
    }
    var counted: [Int64: Int] = [:]
    for result in group {
      turnWatch.settled(result.row)
      if result.decision == .charge { counted[result.row, default: 0] += 1 }
      let row = queue[result.row]
      let attempts = row.attempts + counted[result.row, default: 0]
      if let broken = oracle.broken(byWriting: result, over: row, attempts: attempts, fewestAttempts: fewestAttempts) {
        fail(broken)
      }
    }
    write(group)
    process?.results.written(group.count, now: now)
    process?.untold += 1
    post(.committed(group), after: 0.003 * random.unit())
    write()
    if let current = process, now > current.learnedAt + 60 {
      process?.learnedAt = now
      keepLearned(of: current)
    }
    if notesEstimates { noteEstimate() }
    let deeds = deedsAtCommit
    deedsAtCommit = []
    for deed in deeds {
      story.note(now, "between the commit and its news: \(deed.text)")
      meet(deed)
    }
    strike(at: .durable)
  }

  mutating func keepLearned(of process: Process) {
    kept.learned = (process.core.pacer.learned, kept.access.endpoint)
  }

  /// The estimate of `WorkerPool.snapshot`.
  private mutating func noteEstimate() {
    guard let core = process?.core, case let left = max(0, queue.open - core.inHand), left > 0 else { return }
    let standing = core.pacer.standing(now: now, backlog: left)
    guard let seconds = standing.etaSeconds, standing.limit != nil else { return }
    estimates.append((now, now + seconds))
  }

  // MARK: - The process

  private mutating func settings(_ change: CoreSettings.Change) -> CoreSettings {
    // Their number is read, or written when they are new.
    let isKnown = kept.registrars.contains(kept.access.registrar) || !isOn(.diskRefusesResults)
    guard isKnown, !isOn(.diskRefusesKeys) else { return CoreSettings(pacer: pacer, retry: retry, change: change) }
    kept.registrars.insert(kept.access.registrar)
    return CoreSettings(
      pacer: pacer, retry: retry, registrar: kept.access.registrar, canary: registeredKey(), change: change)
  }

  private var pacer: PacerSettings { PacerSettings(workers: kept.workers, reserve: kept.reserve, assume: plan.assume) }
  private var retry: RetryPolicy { RetryPolicy(maxAttempts: kept.maxAttempts, firstDelay: 1, maxDelay: 300) }

  /// Before half of the reloads, the operator edits the configuration.
  private mutating func edit() {
    guard random.unit() < 0.5 else { return }
    kept.workers = [1, 2, 8, 64][Int(4 * random.unit())]
    kept.maxAttempts = 1 + Int(8 * random.unit())
    // A limit that no header shows is found by using it up, so with a share left to others it never grows again.
    let isTold = plan.limits.allSatisfy { $0.limit?.hasHeaders == true }
    let canLeaveSome = isTold && random.unit() < 0.5
    kept.reserve = canLeaveSome ? .share(0.4 * random.unit()) : .automatic
    fewestAttempts = min(fewestAttempts, kept.maxAttempts)
    story.note(now, "\(kept.workers) workers, \(kept.maxAttempts) attempts, reserve \(kept.reserve)")
  }

  mutating func start() {
    guard process == nil else { return }
    // A daemon whose queue cannot be read does not start.
    guard !isOn(.diskRefusesKeys), !queue.hasCancelsToFinish || !isOn(.diskRefusesResults) else {
      return agenda.add(.start, at: now + UnwrittenResults.tryAgainAfter)
    }
    processes += 1
    finishCancels()
    let asked = kept.asked.flatMap { kept -> AskedToWait? in
      var asked = kept.asked
      asked.seconds = kept.until - now
      return asked.seconds > 0 ? asked : nil
    }
    // Limits learned from another endpoint do not apply.
    let learned = kept.learned?.endpoint == kept.access.endpoint ? kept.learned?.limits : nil
    let seed = plan.seed &+ UInt64(processes) &* 7_919
    let core = Core(
      pacer: Pacer(settings: pacer, learned: learned, seed: seed, now: now),
      holds: Holds(retry: retry, seed: seed &+ 1), settings: settings(.endpoint), pause: kept.pause, asked: asked,
      at: moment)
    process = Process(number: processes, core: core, learnedAt: now)
    holdWatch.obstructed(until: now)
    turnWatch.start()
    waitWatch.interrupted()
    oracle.started(asked, registrar: kept.access.registrar, now: now)
    story.note(now, "process \(processes) starts")
    deliver(.alarm)
  }

  /// Like the shell after each batch of events.
  mutating func lookForCancels(after event: Event?) {
    guard let current = process else { return }
    let hasStopped = if case .committed = event { current.hasStopped } else { false }
    if hasStopped { process?.hasStopped = false }
    let hasReturned = queue.hasReturned(isInFlight: current.core.ledger.isUndecided)
    guard let turn = process?.cancels.next(hasStopped: hasStopped, hasReturned: hasReturned) else { return }
    agenda.add(.cancel(turn), at: now + diskTime(0.02), process: current.number)
  }

  mutating func cancel(_ turn: CancelTurns.Turn) {
    process?.cancels.ended()
    guard !isOn(.diskRefusesResults) else {
      if turn == .stopped { process?.hasStopped = true }
      // A heartbeat causes the next batch.
      return agenda.add(.tick, at: now + 2, process: process?.number)
    }
    switch turn {
    case .stopped: finishCancels()
    case .returned: cancelReturned()
    }
    keysChanged()
  }

  mutating func end(after down: Seconds, _ how: String) {
    story.note(now, "process \(processes) \(how)")
    process = nil
    kills = []
    agenda.add(.start, at: now + down)
  }

  /// Kills the process if it is due to die at this step.
  mutating func strike(at point: KillPoint) {
    guard process != nil, let index = kills.firstIndex(where: { $0.point == point }) else { return }
    let down = kills.remove(at: index).down
    tally.kills += 1
    reopen(.kill)
    end(after: down, "is killed")
  }

  // MARK: - Incidents

  mutating func meet(_ incident: Incident) {
    story.note(now, incident.text)
    fruitless = 0
    holdWatch.obstructed(until: now)
    switch incident.kind {
    case .trouble: tally.troubles += 1
    case .limit: tally.limits += 1
    case .deed(let deed):
      tally.deeds += 1
      meet(deed)
    }
  }

  private mutating func meet(_ deed: Deed) {
    switch deed {
    case .pause: pause(Pause(reason: nil, since: wall))
    case .resume: pause(nil)
    case .reload(let isNew):
      edit()
      let change: CoreSettings.Change = !isNew ? .none : random.unit() < 0.5 ? .endpoint : .credentials
      kept.access.change(change)
      story.note(now, "endpoint \(kept.access.endpoint), credentials \(kept.access.credentials)")
      oracle.reloaded(registrar: kept.access.registrar, isNew: isNew)
      deliver(.settings(settings(change)))
    case .believe: deliver(.believe)
    case .cancel(let list):
      guard canWrite, list < queue.lists.count else { return }
      cancel(list)
      keysChanged()
    case .retry(let plan):
      guard canWrite else { return }
      if case .list(let list) = plan, list >= queue.lists.count { return }
      retry(plan)
      keysChanged()
    case .set(let list, let change):
      guard canWrite, list < queue.lists.count else { return }
      set(list, change)
      keysChanged()
    case .addList(let list):
      guard canWrite else { return }
      add(list)
      keysChanged()
    case .kill(let point, let down):
      guard process != nil else { return }
      kills.append((point, down))
      strike(at: .atOnce)
    case .restart(let down):
      guard process?.core.isStopping == false else { return }
      tally.restarts += 1
      process?.restartsAfter = down
      deliver(.stop)
    case .atNextCommit(let deed): deedsAtCommit.append(deed)
    case .setClock(let seconds):
      wallOffset += seconds
      oracle.isClockSet = true
    }
  }

  /// Whether the queue can be changed: the daemon runs and its disk accepts writes.
  private var canWrite: Bool { process != nil && !isOn(.diskRefusesResults) }

  private mutating func pause(_ pause: Pause?) {
    guard canWrite else { return }
    kept.pause = pause
    let wasPaused = process?.core.pause != nil
    deliver(.pause(pause))
    if pause == nil, !wasPaused { deliver(.believe) }
  }

  /// Removes every cause of trouble.
  mutating func heal() {
    story.note(now, "all is well from now on")
    isHealed = true
    holdWatch.obstructed(until: now)
    for endpoint in Access.endpoints { apis[endpoint].isHealed = true }
    kept.pause = nil
    deliver(.pause(nil))
    if plan.endsWithNewList {
      add(ListPlan(name: "b", natures: [.good, .good, .good]))
      keysChanged()
    }
    if let number = process?.number { agenda.add(.operatorBelieves, at: now + 60, process: number) }
  }
}
