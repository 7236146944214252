import RateLimit
import Registration
import Testing

@testable import RegistrationCore

/// The cells of the table in `Holds` that depend on more than the state and the reply: on what came before, on the key's
/// attempts, on how long the server asks to wait.
@Suite struct HoldsConditionsTests {
  struct Condition: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Replies in their order. The first is to request 1.
    var replies: [Reply]
    /// What becomes of this key with the last reply.
    var row: Int64
    var key: String
    var place: String

    init(
      _ testDescription: String, _ replies: [Reply], row: Int64? = nil, is key: String, then place: String
    ) {
      (self.testDescription, self.replies, self.key, self.place) = (testDescription, replies, key, place)
      self.row = row ?? replies.last?.row ?? 0
    }
  }

  struct Reply: Sendable {
    var row: Int64
    var verdict: Verdict
    var isProbe = false
    var isKnownGood = false
    var attempts = 0
    var isDenied = false
    var wait: Seconds = 0
    /// The request that it answers; by default in the order of the replies.
    var order: Int?

    static func registered(_ row: Int64, isProbe: Bool = false, order: Int? = nil) -> Reply {
      Reply(row: row, verdict: .registered(status: 201), isProbe: isProbe, order: order)
    }

    static func refused(_ row: Int64, status: Int = 400, isProbe: Bool = false, isDenied: Bool = false) -> Reply {
      let verdict = Verdict.failed(status: status, title: "Invalid Parameter", detail: "no")
      return Reply(row: row, verdict: verdict, isProbe: isProbe, isDenied: isDenied)
    }

    static func forbidden(_ row: Int64, isProbe: Bool = false, isKnownGood: Bool = false) -> Reply {
      Reply(row: row, verdict: .forbidden(title: "Forbidden", detail: nil), isProbe: isProbe, isKnownGood: isKnownGood)
    }

    static func lost(_ row: Int64, isProbe: Bool = false, attempts: Int = 0, wait: Seconds = 0) -> Reply {
      let verdict = Verdict.unsettled(status: 503, title: "Service Unavailable", detail: nil)
      return Reply(row: row, verdict: verdict, isProbe: isProbe, attempts: attempts, wait: wait)
    }

    static func unauthorized(_ row: Int64, isProbe: Bool = false) -> Reply {
      Reply(row: row, verdict: .unauthorized(detail: nil), isProbe: isProbe)
    }

    static func redirected(_ row: Int64) -> Reply {
      Reply(row: row, verdict: .misdirected(status: 302, title: "Redirected", detail: nil))
    }
  }

  private static let maxAttempts = 8
  /// Key 7 held everything up, and the answer to another showed that it alone was the trouble.
  private static let blamed: [Reply] = [.unauthorized(7), .registered(8, isProbe: true)]
  /// Everybody is refused, as far as is known.
  private static let held = [.forbidden(1)] + (2...4).map { Reply.forbidden($0, isProbe: true) }
  private static let redirecting: [Reply] = [.redirected(7), .registered(8, isProbe: true)]

  static let conditions: [Condition] = putOff + failures + forbidden + judged

  /// Who stopped everything before is put off, but not for ever.
  private static let putOff: [Condition] = [
    Condition("401 to a key that stopped all before", blamed + [.unauthorized(7)], is: "put off", then: "open"),
    Condition("a redirect of such a key", redirecting + [.redirected(7)], is: "put off", then: "open"),
    Condition(
      "401 to such a key, asking about credentials", blamed + [.forbidden(1), .unauthorized(7)], is: "put off",
      then: "asking credentials"),
    Condition(
      "a redirect of such a key, asking about credentials", redirecting + [.forbidden(1), .redirected(7)],
      is: "put off", then: "asking credentials"),
    Condition(
      "such a key is a lost canary", blamed + [.forbidden(1), .lost(7, isProbe: true)], is: "put off",
      then: "asking credentials"),
    Condition(
      "the fourth in a row", blamed + Array(repeating: .unauthorized(7), count: 4), is: "due", then: "credentials"),
    Condition("401, asking about an outage", outage + [.unauthorized(7)], is: "due", then: "credentials"),
    Condition(
      "401 to such a key, asking about an outage", blamed + outage + [.unauthorized(7)], is: "put off",
      then: "asking outage"),
    Condition(
      "403 to a key that held everything up before any success", held + [.refused(5, isProbe: true), .forbidden(2)],
      is: "put off", then: "open"),
    Condition(
      "403 to such a key after a success", held + [.registered(5, isProbe: true), .forbidden(2)], is: "kept",
      then: "asking credentials"),
  ]

  private static let failures: [Condition] = [
    Condition("the fifth failure in a row", outage, is: "tried again", then: "asking outage"),
    Condition(
      "the fifth, and a longer wait is asked for", Array(outage.dropLast()) + [.lost(5, wait: 60)], is: "tried again",
      then: "outage"),
    Condition("five failures of one key", Array(repeating: .lost(1), count: 5), is: "tried again", then: "open"),
    Condition("the last attempt", [.lost(1, attempts: maxAttempts - 1)], is: "kept", then: "open"),
    Condition(
      "the last attempt, and then another's success", [.lost(1, attempts: maxAttempts - 1), .registered(2)], row: 1,
      is: "failed", then: "open"),
    Condition(
      "the last attempt, and another's success that was sent before",
      [.lost(1, attempts: maxAttempts - 1), .registered(2, order: 0)], row: 1, is: "", then: "open"),
    Condition(
      "the last attempt, and then an outage",
      [.lost(9, attempts: maxAttempts - 1)] + outage + [.lost(6, isProbe: true), .lost(6, isProbe: true)],
      row: 9, is: "due", then: "outage"),
    Condition(
      "the first canary is lost, asking about an outage", outage + [.lost(6, isProbe: true)], is: "due",
      then: "asking outage"),
    Condition(
      "a longer wait is asked for, asking about an outage", outage + [.lost(6, wait: 60)], is: "due", then: "outage"),
  ]

  private static let forbidden: [Condition] = [
    Condition(
      "the second refused canary", [.forbidden(1), .forbidden(2, isProbe: true), .forbidden(3, isProbe: true)],
      is: "kept", then: "asking credentials"),
    Condition(
      "the third refused canary", held, is: "due", then: "credentials"),
    Condition(
      "a known key is refused", [.forbidden(1), .forbidden(9, isProbe: true, isKnownGood: true)], is: "due",
      then: "credentials"),
    Condition(
      "the third lost canary",
      [.forbidden(1), .lost(2, isProbe: true), .lost(3, isProbe: true), .lost(4, isProbe: true)], is: "due",
      then: "outage"),
    Condition(
      "a longer wait is asked for, asking about credentials", [.forbidden(1), .lost(2, wait: 60)], is: "due",
      then: "outage"),
    Condition(
      "a success between two 403s", [.forbidden(1), .forbidden(3), .registered(2, isProbe: true, order: 2)], row: 3,
      is: "", then: "asking credentials"),
    Condition(
      "the first 403, then a success", [.forbidden(1), .registered(2, isProbe: true)], row: 1, is: "due", then: "open"),
    Condition(
      "the second 403, then a success",
      [.forbidden(1), .registered(2, isProbe: true), .forbidden(1), .registered(3, isProbe: true)], row: 1,
      is: "failed", then: "open"),
  ]

  /// What the API says of a key.
  private static let judged: [Condition] = [
    Condition("refused before any success", [.refused(1)], is: "kept", then: "open"),
    Condition("refused after a success", [.registered(1), .refused(2)], is: "failed", then: "open"),
    Condition("unknown after a success", [.registered(1), .refused(2, status: 404)], is: "second look", then: "open"),
    Condition(
      "unknown for the second time", [.registered(1), .refused(2, status: 404, isDenied: true)], is: "failed",
      then: "open"),
    Condition("refused, then a success", [.refused(1), .registered(2)], row: 1, is: "failed", then: "open"),
    Condition("the twentieth refused alike", refusals, is: "due", then: "refused"),
    Condition(
      "the twentieth is the nineteenth again", refusals.dropLast() + [.refused(19)], is: "kept", then: "open"),
  ]

  private static let outage: [Reply] = (1...5).map { Reply.lost($0) }
  private static let refusals: [Reply] = (1...20).map { Reply.refused($0) }

  @Test(arguments: conditions) func theCellIsAsTheTableHasIt(_ condition: Condition) {
    var holds = Holds(retry: RetryPolicy(maxAttempts: Self.maxAttempts, firstDelay: 1, maxDelay: 300), seed: 3)
    var effects: [Holds.Effect] = []
    for (index, reply) in condition.replies.enumerated() {
      effects = holds.observe(
        reply.verdict, for: Self.job(reply, order: index + 1), sent: index + 1, wait: reply.wait, now: 0)
    }
    #expect(Self.fate(of: condition.row, in: effects) == condition.key, "\(effects)")
    #expect(Self.place(of: holds) == condition.place)
  }

  private static func job(_ reply: Reply, order: Int) -> Job {
    let key = DueKey(
      row: reply.row, id: AppKeyID(high: 0, low: UInt64(reply.row)), attempts: reply.attempts,
      state: reply.isDenied ? .retrying : .pending, isDenied: reply.isDenied)
    return Job(
      key: key, order: reply.order ?? order, sentAt: Timestamp(milliseconds: 0), isProbe: reply.isProbe,
      isKnownGood: reply.isKnownGood)
  }

  /// Empty if nothing happens to the key.
  private static func fate(of row: Int64, in effects: [Holds.Effect]) -> String {
    effects.compactMap { effect -> String? in
      switch effect {
      case .register(let job, _) where job.key.row == row: "registered"
      case .release(let job) where job.key.row == row: "due"
      case .keep(let job) where job.key.row == row: "kept"
      case .retry(let job, _, _) where job.key.row == row: "tried again"
      case .postpone(let job, _, _) where job.key.row == row: "put off"
      case .lookAgain(let job, _, _) where job.key.row == row: "second look"
      case .fail(let job, _) where job.key.row == row: "failed"
      default: nil
      }
    }.joined(separator: " and ")
  }

  private static func place(of holds: Holds) -> String {
    switch holds.state {
    case .open: "open"
    case .inquiring(.credentials, _): "asking credentials"
    case .inquiring(.outage, _): "asking outage"
    case .holding(let hold, _): hold.reason.rawValue
    }
  }
}
