import Curl
import RateLimit
import Registration
import RegistrationAPI
import RegistrationCore
import Secrets
import Testing

@testable import RegistrationDaemon

/// What surrounds the core, with time passed in.
@Suite struct ShellTests {
  private static let start = Timestamp(milliseconds: 1_795_693_460_000)

  private static func moment(_ now: Double) -> Moment { Moment(now: now, wall: start.adding(seconds: now)) }

  private static func shell(workers: Int = 2) throws -> Shell {
    let pacer = PacerSettings(workers: workers, assume: Allowance(count: 1_000, period: 1))
    let retry = RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300)
    let core = Core(
      pacer: Pacer(settings: pacer, learned: nil, seed: 1, now: 0), holds: Holds(retry: retry, seed: 1),
      settings: CoreSettings(pacer: pacer, retry: retry), at: moment(0))
    let settings = APISettings(
      endpoint: try Endpoint(url: "http://127.0.0.1:1"),
      credentials: Credentials(
        apiKey: try Secret("a-key-of-the-api".utf8, from: "a test"),
        appKey: try Secret("a-key-of-the-application".utf8, from: "a test")),
      route: CurlRoute(), connectTimeout: 1_000, timeout: 1_000)
    return Shell(
      core: core, settings: settings, evidence: LimitEvidence(endpoint: settings.endpoint.base), workers: workers,
      now: 0)
  }

  private static func mail(_ content: Inbox.Mail.Content, at now: Double) -> Inbox.Mail {
    var mail = Inbox.Mail(content)
    mail.moment = moment(now)
    return mail
  }

  private static func supply(_ shell: inout Shell, keys: Int, at now: Double) {
    let read = shell.tick(open: keys, at: moment(now)).compactMap { action -> KeyRead? in
      if case .read(let read) = action { read } else { nil }
    }
    let due = (1...Int64(keys)).map {
      DueKey(row: $0, id: AppKeyID(high: 0, low: UInt64($0)), attempts: 0, state: .pending)
    }
    let page = KeyPage(due, isAll: true, nextDue: nil, generation: read.first?.generation ?? 0)
    _ = shell.take(mail(.event(.keys(page)), at: now))
  }

  @Test func timeIsCountedForTheReasonThatStoodInTheWay() throws {
    var shell = try Self.shell()
    Self.supply(&shell, keys: 5, at: 0)
    _ = shell.take(Self.mail(.event(.pause(Pause(reason: nil, since: Self.start))), at: 1))
    _ = shell.tick(open: 5, at: Self.moment(1))
    _ = shell.take(Self.mail(.event(.storeFailed(DiskFault(.results, "disk full"))), at: 3))
    _ = shell.tick(open: 5, at: Self.moment(4))
    _ = shell.take(Self.mail(.event(.pause(nil)), at: 9))
    _ = shell.tick(open: 5, at: Self.moment(9))
    // What goes on is counted up to now, and nothing twice.
    for _ in 0..<2 {
      let waited = shell.snapshot(open: 5, at: Self.moment(12)).statistics.waited
      #expect(waited == [.paused: 8, .disk: 3])
    }
  }

  /// However short it was, and whoever looks when.
  @Test func aBurstOfWorkIsNoticed() throws {
    var shell = try Self.shell(workers: 1)
    var seen: [String] = []
    func look(at time: Double, open: Int) {
      _ = shell.tick(open: open, at: Self.moment(time))
      let pool = shell.snapshot(open: open, at: Self.moment(time))
      seen.append("\(pool.phase) since \(pool.phaseSince?.seconds(since: Self.start) ?? -1)")
    }
    look(at: 0, open: 0)
    Self.supply(&shell, keys: 1, at: 5)
    look(at: 5, open: 1)
    let exchange = Exchange(
      verdict: .registered(status: 201), paced: PacedReply(kind: .answered), status: 201, duration: 0.1)
    _ = shell.take(Self.mail(.exchange(exchange, order: 1, worker: 0), at: 5.1))
    look(at: 5.1, open: 1)
    let result = KeyResult(row: 1, decision: .registered, sentAt: Self.start, at: Self.start)
    _ = shell.take(Self.mail(.event(.committed([result])), at: 5.4))
    look(at: 5.4, open: 0)
    look(at: 60, open: 0)
    #expect(
      seen == ["idle since 0.0", "working since 5.0", "working since 5.0", "idle since 5.4", "idle since 5.4"])
    let spent = shell.snapshot(open: 0, at: Self.moment(60)).statistics.spent
    #expect(abs(spent[.working, default: 0] - 0.4) < 0.001 && abs(spent[.idle, default: 0] - 59.6) < 0.001)
  }

  @Test func theLastWorkerBackGoesFirst() throws {
    var shell = try Self.shell(workers: 3)
    let key = DueKey(row: 1, id: AppKeyID(high: 0, low: 1), attempts: 0, state: .pending)
    let job = Job(key: key, order: 1, sentAt: Self.start)
    #expect((0..<3).map { _ in shell.assign(job).worker } == [0, 1, 2])
    let exchange = Exchange(
      verdict: .registered(status: 201), paced: PacedReply(kind: .answered), status: 201, duration: 0.1)
    for worker in [2, 0] { _ = shell.take(Self.mail(.exchange(exchange, order: 9, worker: worker), at: 1)) }
    #expect((0..<2).map { _ in shell.assign(job).worker } == [0, 2])
  }

  @Test func theLastErrorIsTheOneThatCameLast() throws {
    var shell = try Self.shell()
    #expect(shell.snapshot(open: 0, at: Self.moment(0)).lastError == nil)
    let failed = Exchange(
      verdict: .unsettled(status: 503, title: "Service Unavailable", detail: nil),
      paced: PacedReply(kind: .serverError),
      status: 503, duration: 0.1)
    _ = shell.take(Self.mail(.exchange(failed, order: 1, worker: 0), at: 1))
    let first = try #require(shell.snapshot(open: 0, at: Self.moment(2)).lastError)
    #expect(first.message == "503 Service Unavailable" && first.at == Self.moment(1).wall)
    _ = shell.take(Self.mail(.event(.storeFailed(DiskFault(.results, "disk full"))), at: 3))
    #expect(shell.snapshot(open: 0, at: Self.moment(4)).lastError?.message == "disk full")
  }

  @Test func onlyOutcomesCountAsProgress() throws {
    var shell = try Self.shell()
    let results = [KeyResult.Decision.registered, .failed, .retry(due: Self.start), .charge, .spare].enumerated().map {
      KeyResult(row: Int64($0), decision: $1, sentAt: Self.start, at: Self.start)
    }
    _ = shell.take(Self.mail(.event(.committed(results)), at: 20))
    #expect(shell.snapshot(open: 0, at: Self.moment(20)).perSecond == 0.1)
  }
}
