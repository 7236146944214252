import ControlAPI
import RateLimit
import Registration
import RegistrationCore
import RegistrationQueue
import Spool
import Testing

@testable import RegistrationDaemon

/// One standstill, one state: `state`, `hold` and `reason` never contradict each other.
@Suite struct StatusReportTests {
  private static let now = Timestamp(milliseconds: 1_795_693_460_000)
  private static let report = StatusReport(version: "1", startedAt: now, instance: .main)

  private static func pool(_ standstill: Standstill?, pause: Pause? = nil, busy: Int = 0) -> PoolSnapshot {
    let pacer = Pacer(settings: PacerSettings(workers: 4), learned: nil, seed: 1, now: 0)
    return PoolSnapshot(
      standstill: standstill, standing: pacer.standing(now: 0, backlog: 1), statistics: Statistics(), inFlight: 0,
      busy: busy, size: 4, pause: pause, lastError: nil, perSecond: 0, now: 0)
  }

  private static func around(open: Int, diskFault: String? = nil, listFault: String? = nil, isImporting: Bool = false)
    -> StatusReport.Surroundings
  {
    var tally = Tally()
    tally[.pending] = open
    return StatusReport.Surroundings(
      tally: tally, openProgress: OpenProgress(done: 0, total: open), lists: ListTotals(), spool: .init(), blocked: 0,
      isImporting: isImporting, listFault: listFault, diskFault: diskFault, endpoint: "https://api.datadoghq.com",
      spoolDirectory: "/var/spool/keyreg", maxFileSize: 1 << 30)
  }

  private static func status(_ pool: PoolSnapshot, _ around: StatusReport.Surroundings) -> StatusDocument {
    report.document(pool, around, now: now)
  }

  @Test func aPauseIsNoHoldWhateverElseIsWrong() {
    let pause = Pause(reason: "lunch", since: Self.now)
    let status = Self.status(
      Self.pool(.paused(pause), pause: pause), Self.around(open: 3, diskFault: "cannot write results: no space"))
    #expect(status.state == .paused && status.hold == nil)
    #expect(status.reason == "lunch; cannot write results: no space")
  }

  @Test(arguments: [3, 0]) func theQueuesDiskIsAHold(open: Int) {
    let status = Self.status(Self.pool(.disk(DiskFault(.results, "no space left"))), Self.around(open: open))
    #expect(status.state == .holding && status.hold == .disk && status.reason == "no space left")
  }

  @Test func theSpoolsDiskIsAHoldOnlyWhereNothingElseIsToDo() {
    let idle = Self.status(Self.pool(.nothingDue(next: nil)), Self.around(open: 0, diskFault: "no space"))
    #expect(idle.state == .holding && idle.hold == .disk && idle.reason == "no space")
    let working = Self.status(Self.pool(nil, busy: 4), Self.around(open: 3, diskFault: "no space"))
    #expect(working.state == .working && working.hold == nil && working.reason == "no space")
    let list = Self.status(Self.pool(.nothingDue(next: nil)), Self.around(open: 0, listFault: "cannot read a.csv"))
    #expect(list.state == .waiting && list.hold == nil && list.reason == "cannot read a.csv")
  }

  @Test func stoppingHidesEverythingElse() {
    let status = Self.status(Self.pool(.stopping), Self.around(open: 3, diskFault: "no space"))
    #expect(status.state == .stopping && status.hold == nil && status.reason == nil)
  }

  @Test(arguments: [Standstill.recording, .inquiry, .reply, nil])
  func aShortStandstillIsWork(standstill: Standstill?) {
    let status = Self.status(Self.pool(standstill, busy: 1), Self.around(open: 3))
    #expect(status.state == .working && status.hold == nil && status.reason == nil)
  }

  @Test func withoutKeysItIsIdleUnlessAListIsBeingRead() {
    #expect(Self.status(Self.pool(.nothingDue(next: nil)), Self.around(open: 0)).state == .idle)
    let importing = Self.status(Self.pool(.nothingDue(next: nil)), Self.around(open: 0, isImporting: true))
    #expect(importing.state == .working)
  }

  private static func set(
    _ standing: inout LimitStanding, limit: Int, every period: Seconds, left: Int?, resetsIn: Seconds?, eta: Seconds
  ) {
    (standing.limit, standing.period, standing.remaining, standing.resetsIn) = (limit, period, left, resetsIn)
    standing.etaSeconds = eta
  }

  @Test func theEstimateIsNeverBelowWhatTheLimitAllows() {
    for (open, left, resetsIn, eta, shown) in [
      (150, 60, 30.0, 1.0, 90), (150, nil, nil, 1, 60), (50, 60, 30, 1, 1), (150, 60, 30, 500, 500),
    ] as [(Int, Int?, Seconds?, Seconds, Int)] {
      var pool = Self.pool(nil, busy: 1)
      Self.set(&pool.standing, limit: 60, every: 60, left: left, resetsIn: resetsIn, eta: eta)
      #expect(Self.status(pool, Self.around(open: open)).progress.etaSeconds == shown)
    }
  }

  /// 39 keys were quick, and the last one is due in half an hour.
  @Test func theEstimateIncludesTheLastKeyThatIsDueLater() {
    var pool = Self.pool(.nothingDue(next: 1_800))
    pool.perSecond = 39
    var around = Self.around(open: 0)
    around.tally[.retrying] = 1
    around.lastDueIn = 1_799.2
    let waiting = Self.status(pool, around)
    #expect(waiting.state == .waiting && waiting.reason?.hasPrefix("1 key is waiting to be retried") == true)
    #expect(waiting.progress.etaSeconds == 1_800 && waiting.progress.etaFrom == "retries")
    Self.set(&pool.standing, limit: 60, every: 60, left: 60, resetsIn: 30, eta: 1)
    #expect(Self.status(pool, around).progress.etaSeconds == 1_800)
    // A limit that takes longer decides.
    pool.standing.etaSeconds = 2_000
    #expect(Self.status(pool, around).progress.etaSeconds == 2_000)
    // Without a limit or an outcome so far, only the wait is known.
    pool.perSecond = 0
    pool.standing.limit = nil
    #expect(Self.status(pool, around).progress.etaSeconds == 1_800)
  }

  @Test func answersThatAreBeingWrittenAreWork() {
    var pool = Self.pool(.nothingDue(next: nil))
    pool.inFlight = 2
    let status = Self.status(pool, Self.around(open: 2))
    #expect(status.state == .working && status.reason == nil && status.keys.inFlight == 2)
  }

  @Test func aBlockedListIsNotIncomingToo() {
    var around = Self.around(open: 0)
    around.spool.incoming = 3
    (around.blocked, around.unreadable) = (2, 1)
    let lists = Self.status(Self.pool(.nothingDue(next: nil)), around).lists
    #expect(lists.incoming == 2 && lists.blocked == 2 && lists.unreadable == 1)
  }

  @Test func withoutWorkThereIsNoRateAndNoEstimate() {
    let pause = Pause(reason: nil, since: Self.now)
    for standstill in [Standstill.paused(pause), .disk(DiskFault(.results, "no space"))] {
      var pool = Self.pool(standstill)
      pool.perSecond = 333
      Self.set(&pool.standing, limit: 60, every: 60, left: 60, resetsIn: 30, eta: 1)
      for open in [3, 0] {
        let progress = Self.status(pool, Self.around(open: open)).progress
        #expect(progress.perSecond == 0 && progress.etaSeconds == nil)
      }
    }
    var idle = Self.pool(.nothingDue(next: nil))
    idle.perSecond = 333
    #expect(Self.status(idle, Self.around(open: 0)).progress.perSecond == 0)
  }

  @Test func whoWaitsForTheLimitIsToldUntilWhen() {
    var pool = Self.pool(.limit(until: 22))
    Self.set(&pool.standing, limit: 60, every: 60, left: 0, resetsIn: 22, eta: 30)
    pool.standing.opensAt = 22
    let status = Self.status(pool, Self.around(open: 3))
    #expect(status.state == .waiting && status.reason == "rate limit used up; next request in 22 s, at 11:44:42Z")
  }
}
