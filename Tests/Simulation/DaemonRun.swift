// One run: the real core with its pacer, a world around it, and a clock that only moves from one event to the next.

package import RateLimit
import Registration
import RegistrationCore

/// A promise that was not kept, and when.
package struct Violation: Sendable, Hashable {
  /// Which promise: a failing run is shrunk as long as it breaks the same one.
  package var promise: String
  package var detail: String
}

/// What was simulated.
package struct RunTally: Sendable {
  package var seconds: Seconds = 0
  package var steps = 0
  package var keys = 0
  package var requests = 0
  package var canaries = 0
  package var kills = 0
  package var restarts = 0
  package var troubles = 0
  /// Changes of the API's limit.
  package var limits = 0
  package var deeds = 0
  package var holds = 0
  /// Attempts without an answer that counted, and that did not.
  package var charges = 0
  package var spared = 0
  package var failed = 0
  /// Keys that were in flight when their list was cancelled.
  package var awaited = 0
  /// Comparisons in which the real queue matched the model.
  package var comparisons = 0
  /// The longest that a run took to end after the world had healed.
  package var longestEnd: Seconds = 0

  package init() {}

  package static func += (sum: inout RunTally, one: RunTally) {
    sum.seconds += one.seconds
    sum.steps += one.steps
    sum.keys += one.keys
    sum.requests += one.requests
    sum.canaries += one.canaries
    sum.kills += one.kills
    sum.restarts += one.restarts
    sum.troubles += one.troubles
    sum.limits += one.limits
    sum.deeds += one.deeds
    sum.holds += one.holds
    sum.charges += one.charges
    sum.spared += one.spared
    sum.failed += one.failed
    sum.awaited += one.awaited
    sum.comparisons += one.comparisons
    sum.longestEnd = max(sum.longestEnd, one.longestEnd)
  }
}

package struct DaemonRun {
  package let plan: Plan
  package internal(set) var now: Seconds = 0
  package internal(set) var tally = RunTally()
  package internal(set) var violation: Violation?
  package internal(set) var story: Story
  /// When status would have told that the end comes, asked at each commit of a run that notes it.
  package internal(set) var estimates: [(at: Seconds, end: Seconds)] = []
  let notesEstimates: Bool
  let natures: Set<Nature>
  package internal(set) var queue = ModelQueue()
  /// The daemon's own queue, where a run has one.
  let real: RealQueue?
  /// By endpoint: two servers that know nothing of each other.
  var apis: [ModelAPI]
  var agenda = Agenda()
  var random: SplitMix64
  var oracle = Oracle()
  /// What outlives a process, besides the queue.
  var kept: Kept
  /// The lowest number of attempts that was in force.
  var fewestAttempts: Int
  /// Nil while the daemon does not run.
  var process: Process?
  var processes = 0
  var wallOffset: Seconds = 0
  /// Kills that wait for their step.
  var kills: [(point: KillPoint, down: Seconds)] = []
  /// What waits for the next commit.
  var deedsAtCommit: [Deed] = []
  var isHealed = false
  var holdWatch = HoldWatch()
  var turnWatch = TurnWatch()
  var waitWatch = WaitWatch()
  /// Requests since a key last had its outcome, an incident happened or the API was not its usual self.
  var fruitless = 0

  struct Kept {
    var pause: Pause?
    var learned: (limits: LearnedLimits, endpoint: Int)?
    var asked: (until: Seconds, asked: AskedToWait)?
    /// Whom requests are sent to, and as whom.
    var access = Access(endpoint: 0, credentials: 0)
    /// The credentials that the queue has given a number.
    var registrars: Set<Int64> = []
    var workers: Int
    var maxAttempts: Int
    var reserve = PacerSettings.Reserve.automatic
  }

  /// The process and its shell. A reference: it is large, and changes with every step.
  final class Process {
    let number: Int
    var core: Core
    var flights: [Int: Job] = [:]
    var isReading = false
    var results = UnwrittenResults()
    /// The group that is being written; empty when none is.
    var writing: [KeyResult] = []
    /// Committed, and the core has not been told yet.
    var untold = 0
    var alarm = 0
    /// When the alarm rings; nil when it is not set.
    var wake: Seconds?
    var learnedAt: Seconds
    /// Seconds until it starts again, once it has stopped.
    var restartsAfter: Seconds?
    /// Changes of keys of which the core has not been told yet.
    var changesToTell = 0
    /// The queue has stopped a list, and nobody has looked yet.
    var hasStopped = false
    var cancels = CancelTurns()

    init(number: Int, core: Core, learnedAt: Seconds) {
      self.number = number
      self.core = core
      self.learnedAt = learnedAt
    }
  }

  private static let mostSteps = 3_000_000

  /// - Parameter isPaired: Beside the model of the queue the daemon's own is at work, and both are compared after every step.
  package init(_ plan: Plan, isPaired: Bool = false, keepsStory: Bool = false, notesEstimates: Bool = false) {
    self.plan = plan
    self.notesEstimates = notesEstimates
    natures = plan.natures
    real = isPaired ? RealQueue() : nil
    story = Story(isKept: keepsStory)
    kept = Kept(workers: plan.workers, maxAttempts: plan.maxAttempts)
    fewestAttempts = plan.maxAttempts
    apis = Access.endpoints.map { ModelAPI(plan, endpoint: $0) }
    random = SplitMix64(seed: plan.seed ^ 0x5eed)
    for list in plan.lists { add(list) }
    for (index, incident) in plan.incidents.enumerated() { agenda.add(.incident(index), at: incident.at) }
    agenda.add(.heal, at: plan.heals)
    agenda.add(.start, at: 0)
  }

  /// Goes on until every key has its outcome, or a promise is broken.
  package mutating func run() {
    let deadline = plan.heals + plan.bound
    while violation == nil, !isOver {
      guard let entry = agenda.removeFirst() else {
        fail("never stuck", "nothing is to come, and \(queue.open) keys are open")
        break
      }
      guard entry.at <= deadline else {
        now = deadline
        fail("every key has an outcome in time", "\(queue.open) keys are open \(plan.bound.shown) s after all is well")
        break
      }
      now = max(now, entry.at)
      tally.steps += 1
      guard tally.steps < Self.mostSteps else {
        fail("every key has an outcome in time", "no end after \(tally.steps) steps")
        break
      }
      if let number = entry.process, number != process?.number { continue }
      step(entry.happening)
    }
    tally.seconds = now
    tally.keys = queue.rows.count
    tally.failed = queue.rows.count { $0.state == .failed }
    if isHealed { tally.longestEnd = now - plan.heals }
    if violation == nil, !queue.addsUp { fail("the sum of states", "counters and rows differ") }
    compareWhole()
  }

  /// All that was planned has happened, and nothing is left to do.
  private var isOver: Bool { isHealed && queue.open == 0 && process?.core.isSettled == true && process?.untold == 0 }

  mutating func fail(_ promise: String, _ detail: String) {
    fail(Violation(promise: promise, detail: detail))
  }

  mutating func fail(_ broken: Violation) {
    guard violation == nil else { return }
    violation = broken
    story.note(now, "BROKEN: \(broken.promise): \(broken.detail)")
  }

  private mutating func step(_ happening: Agenda.Happening) {
    switch happening {
    case .incident(let index): meet(plan.incidents[index])
    case .heal: heal()
    case .start: start()
    case .arrive(let row, let order, let process, let endpoint): arrive(row, order, process, endpoint)
    case .keepAsked(let asked):
      if !isOn(.diskRefusesResults) { kept.asked = asked.map { (now + $0.seconds, $0) } }
    case .tick: deliver(nil)
    case .operatorBelieves:
      if process?.core.holds.hold?.reason == .refused { deliver(.believe) }
    case .cancel(let turn): cancel(turn)
    case .readKeys(let read): readKeys(read)
    case .write: write()
    case .written: written()
    case .alarm(let number):
      guard number == process?.alarm else { return }
      process?.wake = nil
      deliver(.alarm)
    case .reply(let reply, let order):
      let job = process?.hear(reply, order, &oracle, now: now, &story)
      waitWatch.interrupted()
      deliver(.reply(Answer(reply.verdict, paced: reply.paced), order: order), to: job)
      strike(at: .reply)
    case .post(let event):
      noteDelivery(event)
      deliver(event)
      if case .keys = event { strike(at: .page) }
    }
    if let current = process, current.core.isStopping, current.core.isSettled, current.untold == 0 {
      keepLearned(of: current)
      reopen(.stop)
      end(after: current.restartsAfter ?? 0, "stopped")
    }
  }

  private mutating func noteDelivery(_ event: Event) {
    switch event {
    case .keys: process?.isReading = false
    case .storeFailed(let fault): if fault.store == .keys { process?.isReading = false }
    case .committed: process?.untold -= 1
    case .keysChanged: process?.changesToTell -= 1
    default: break
    }
  }

  /// A request reaches the API, whether or not its process still lives.
  private mutating func arrive(_ row: Int64, _ order: Int, _ process: Int, _ endpoint: Int) {
    let reply = apis[endpoint].reply(to: row, queue[row].nature, now: now)
    watchOthers(reply.verdict)
    let delay = plan.latency / 2 * random.between(0.5, 1.5) + reply.delay
    agenda.add(.reply(reply, order: order), at: now + delay, process: process)
  }

  // MARK: - The core

  /// Tells the core, with a tick behind it most of the time: the shell takes several events in one batch.
  ///
  /// - Parameter job: The request, if the event is its reply.
  mutating func deliver(_ event: Event?, to job: Job? = nil) {
    guard let current = process else { return }
    if case .committed(let results) = event { oracle.told(results) }
    let moment = self.moment
    var actions: [Action] = []
    let wasOpen = current.core.holds.isOpen
    if let event {
      story.event(now, event)
      let gate = GateBefore(current.core, now: now)
      let old = BeforeOldReply(job, current.core, epoch: oracle.epoch, endpoint: kept.access.endpoint)
      actions = current.core.take(event, at: moment)
      if let broken = gate.broken(by: event, now: current.core, at: now) ?? old?.broken(by: current.core) {
        fail(broken)
      }
    }
    let before = Oracle.Before(current.core, open: queue.open, now: now)
    oracle.saw(before)
    let isBatch = event != nil && random.unit() < 0.2
    if !isBatch { actions += current.core.take(.tick(open: queue.open), at: moment) }
    for action in actions { carryOut(action, before, wasOpen: wasOpen) }
    lookForCancels(after: event)
    if isBatch { agenda.add(.tick, at: now + 0.001, process: current.number) } else { check() }
  }

  var moment: Moment { Moment(now: now, wall: wall) }
  var wall: Timestamp { Timestamp(milliseconds: 1_700_000_000_000).adding(seconds: now + wallOffset) }

  /// - Parameters:
  ///   - before: When the core was asked for requests.
  ///   - wasOpen: Neither a hold nor an inquiry was in force when the event came.
  private mutating func carryOut(_ action: Action, _ before: Oracle.Before, wasOpen: Bool) {
    guard let number = process?.number else { return }
    story.action(now, action)
    switch action {
    case .send(let job):
      if let broken = oracle.broken(bySending: job, from: process, queue, before, now: now) {
        fail(broken)
      }
      if job.isProbe || !before.isOpen {
        turnWatch.interrupted(by: job)
      } else if let broken = turnWatch.broken(bySending: job, queue) {
        fail(broken)
      }
      tally.requests += 1
      if job.isKnownGood { tally.canaries += 1 }
      process?.flights[job.order] = job
      agenda.add(
        .arrive(row: job.key.row, order: job.order, process: number, endpoint: kept.access.endpoint),
        at: now + plan.latency / 2 * random.between(0.5, 1.5))
    case .record(let results):
      tally.charges += results.count { $0.decision == .charge }
      tally.spared += results.count { $0.decision == .spare }
      let isFair = Oracle.Fairness(wasOpen: wasOpen, fewestAttempts: fewestAttempts)
      if let broken = oracle.broken(by: results, apis, queue, isFair, now: now) { fail(broken) }
      record(results)
    case .read(let read):
      if process?.isReading == true { fail("one read at a time", "a second read") }
      process?.isReading = true
      agenda.add(.readKeys(read), at: now + diskTime(0.01), process: number)
    case .wake(let at):
      process?.alarm += 1
      let rings = max(now, at) + 0.0002
      process?.wake = at
      agenda.add(
        .alarm(process?.alarm ?? 0), at: plan.alarmIsCapped ? min(rings, now + 30) : rings, process: number)
    case .tell(let notice): hear(notice, number)
    }
  }

  private mutating func hear(_ notice: Notice, _ number: Int) {
    switch notice {
    case .holdBegan(let hold):
      tally.holds += 1
      oracle.held()
      if isHealed, hold.reason == .refused { agenda.add(.operatorBelieves, at: now + 60, process: number) }
    case .askedToWait(let asked): agenda.add(.keepAsked(asked), at: now + diskTime(0.01), process: number)
    case .holdEnded, .diskHoldBegan, .diskHoldEnded, .limitsChanged: break
    }
  }
}
