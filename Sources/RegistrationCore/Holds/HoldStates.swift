package import RateLimit
package import Registration

/// When something happened: on the clock that waits go by, and for people.
package struct Moment: Sendable, Hashable {
  package var now: Seconds
  package var wall: Timestamp

  package init(now: Seconds, wall: Timestamp) {
    self.now = now
    self.wall = wall
  }
}

/// A key that a reply spoke against, and what it said.
struct Charge: Sendable, Hashable {
  var job: Job
  var fault: Fault
}

/// Attempts without an answer since the last one.
struct Failures: Sendable {
  /// Rows whose attempt was counted, in order.
  var streak: [Int64] = []
  /// Keys out of attempts, until an answer to somebody else has shown that it was their own fault.
  var exhausted: [Charge] = []
  /// What was last said.
  var last: Fault?

  /// Whether it may be everybody's trouble: so many failures in a row, of more than one key unless nobody answered at all.
  func isSuspicious(patience: Int) -> Bool {
    guard streak.count + exhausted.count >= patience else { return false }
    return last?.status == nil || Set(streak).union(exhausted.map(\.job.key.row)).count > 1
  }

  /// Takes out the keys out of attempts that were sent before `witness`.
  mutating func guilty(before witness: Job) -> [Charge] {
    defer { exhausted.removeAll { $0.job.order < witness.order } }
    return exhausted.filter { $0.job.order < witness.order }
  }
}

/// A question that a canary is to answer.
enum Inquiry: Sendable {
  /// Whether a 403 means the credentials or the one key.
  case credentials(Suspicion)
  /// Whether failures mean an outage or a few bad keys.
  case outage(Failures)

  /// Another key tells most of credentials; after two of those that too were refused, one that they did register.
  var choice: Canary.Choice {
    switch self {
    case .credentials(let suspicion): suspicion.refusedCanaries < 2 ? .another : .known
    case .outage: .known
    }
  }
}

/// Keys that were answered 403.
struct Suspicion: Sendable {
  struct Suspect: Sendable {
    var job: Job
    var fault: Fault
    /// Requests sent when the refusal came; a later one is a witness.
    var sent: Int
  }

  var suspects: [Suspect] = []
  /// Canaries in a row that were answered 403 too.
  var refusedCanaries = 0
  /// Canaries in a row that nobody answered.
  var lostCanaries = 0

  /// So many canaries settle it.
  static let canaries = 3
}

/// Everybody's trouble: what it is, what was said, and since when.
package struct Hold: Sendable, Hashable {
  package var reason: Holds.Reason
  package var fault: Fault
  /// For people.
  package var since: Timestamp
  var began: Seconds
  /// The row whose reply alone began it.
  var trigger: Int64?

  /// Refused credentials and outages are asked about with a key that is known to be good and with others in turn. What is
  /// refused whatever the key is only told by the keys that wait.
  var choice: Canary.Choice { reason == .refused ? .waitingOnly : .alternating }
}

/// The one request at a time that asks, and when the next one goes.
package struct Canary: Sendable, Hashable {
  /// Which key is sent.
  package enum Choice: Sendable, Hashable {
    /// The next that waits; one that these credentials registered when none does.
    case another
    /// One that these credentials registered; the next that waits when there is none.
    case known
    /// The same, in turns with others after it was refused.
    case alternating
    /// The next that waits.
    case waitingOnly
  }

  var due: Seconds
  var isOut = false
  /// How many came back in a row and ended nothing.
  var returns = 0

  func gate(_ choice: Choice, now: Seconds) -> Holds.Gate {
    if isOut { .closed(until: nil) } else if now >= due { .probe(choice) } else { .closed(until: due) }
  }
}

/// Keys that began a hold which another key's answer ended: they wait ever longer instead of holding everybody again. A 401
/// or a redirect never counts against a key, since no one can tell it from one of several servers that has not heard of
/// new credentials yet.
struct Blame: Sendable {
  /// How often each row was put off.
  private var times: [Int64: Int] = [:]
  /// Keys put off in a row without a success of anybody; then it is everybody's trouble after all.
  private var inARow = 0

  private static let inARowAtMost = 3

  mutating func blame(_ row: Int64) { times[row, default: 0] += 1 }
  mutating func acquit(_ row: Int64) { times[row] = nil }
  mutating func somebodySucceeded() { inARow = 0 }

  /// How often the key was put off, this time included; nil when it is not put off.
  mutating func putOff(_ row: Int64) -> Int? {
    guard let count = times[row], inARow < Self.inARowAtMost else { return nil }
    inARow += 1
    times[row] = count + 1
    return count + 1
  }
}
