package import RateLimit
package import Registration

/// When something happened: on the monotonic clock for waits, and on the wall clock for people.
package struct Moment: Sendable, Hashable {
  package var now: Seconds
  package var wall: Timestamp

  package init(now: Seconds, wall: Timestamp) {
    self.now = now
    self.wall = wall
  }
}

/// A key that a reply counts against, and what it said.
struct Charge: Sendable, Hashable {
  var job: Job
  var fault: RequestFault
}

/// Attempts without an answer since the last answer.
struct Failures: Sendable {
  /// Rows whose attempt counts once another is answered, in order.
  var streak: [Int64] = []
  /// Those of them that wait for another reason now.
  var aside: Set<Int64> = []
  /// Keys out of attempts, until an answer to another key shows that they were at fault.
  var exhausted: [Charge] = []
  /// The last failure.
  var last: RequestFault?

  /// Whether it may be an outage: this many failures in a row, of more than one key unless there was no answer at all.
  func isSuspicious(patience: Int) -> Bool {
    guard streak.count + exhausted.count >= patience else { return false }
    return last?.status == nil || Set(streak).union(exhausted.map(\.job.key.row)).count > 1
  }

  /// The API has answered `witness`: the streak counts, and the keys out of attempts that were sent before are guilty.
  /// Removes both.
  mutating func end(by witness: Job) -> (charges: [Holds.Effect], guilty: [Charge]) {
    defer {
      streak = []
      aside = []
      exhausted.removeAll { $0.job.order < witness.order }
    }
    return (streak.map { .charge(row: $0) }, exhausted.filter { $0.job.order < witness.order })
  }
}

/// A question that a canary answers.
enum Inquiry: Sendable {
  /// Whether a 403 is about the credentials or only about the one key.
  case credentials(Suspicion)
  /// Whether failures mean an outage or a few bad keys.
  case outage(Failures)

  /// Another key tells best. If others fail too, all that are left may be bad: then a key that these credentials
  /// registered decides.
  ///
  /// - Parameter canaries: Sent since the API's last answer.
  func choice(after canaries: Int) -> Canary.Choice {
    switch self {
    case .credentials(let suspicion):
      suspicion.refusedCanaries < 2 && suspicion.lostCanaries == 0 ? .another : .known
    case .outage: canaries == 0 ? .another : .known
    }
  }
}

/// Keys that were answered 403.
struct Suspicion: Sendable {
  struct Suspect: Sendable {
    var job: Job
    var fault: RequestFault
    /// Requests sent when the refusal came; a later one is a witness.
    var sent: Int
  }

  var suspects: [Suspect] = []
  /// What had failed before, and is still undecided.
  var failures = Failures()
  /// Canaries in a row that were answered 403 too.
  var refusedCanaries = 0
  /// Canaries in a row without an answer.
  var lostCanaries = 0
  /// Their rows; a key that is already registered has none.
  var lostRows: Set<Int64> = []

  /// This many canaries decide it.
  static let canaries = 3

  /// The suspects' rows.
  var rows: Set<Int64> { Set(suspects.map(\.job.key.row)) }
}

/// A shared problem: what it is, what was said, and since when.
package struct Hold: Sendable, Hashable {
  package var reason: Holds.Reason
  package var fault: RequestFault
  /// What the last probe was told; nil before the first.
  var latest: RequestFault?
  /// For people.
  package var since: Timestamp
  var began: Seconds
  /// The rows whose replies alone began it.
  var triggers: Set<Int64> = []

  /// A 403 may mean that the waiting keys are somebody else's, so a key that is known to be good is sent in turn with
  /// them. Anything else that ends is seen with a waiting key; the known one is sent now and then, in case those are all
  /// bad. What is refused for every key can only be probed with the waiting keys.
  ///
  /// - Parameters:
  ///   - canaries: Sent since the API's last answer, in this hold and in those right before it.
  ///   - hasBlame: Single keys have begun holds that others ended.
  func choice(after canaries: Int, hasBlame: Bool) -> Canary.Choice {
    switch reason {
    case .refused: .waitingOnly
    case .credentials where fault.status == 403: .alternating
    // The first one where single keys are the trouble, otherwise the second; then every second or eighth.
    case .credentials, .outage: canaries % (hasBlame ? 2 : 8) == (hasBlame ? 0 : 1) ? .alternating : .another
    }
  }
}

/// The one request at a time that probes, and when the next one goes.
package struct Canary: Sendable, Hashable {
  /// Which key is sent.
  package enum Choice: Sendable, Hashable {
    /// The next waiting key; if there is none, one that these credentials registered.
    case another
    /// A key that these credentials registered; if there is none, the next waiting key.
    case known
    /// Like `known`, but alternating with other keys after it was refused.
    case alternating
    /// The next waiting key.
    case waitingOnly
  }

  var due: Seconds
  /// The order of the one in flight; nil while there is none.
  var inFlight: Int?
  /// How many came back in a row without ending anything.
  var returns = 0

  func gate(_ choice: Choice, now: Seconds) -> Holds.Permission {
    if inFlight != nil { .closed(until: nil) } else if now >= due { .probe(choice) } else { .closed(until: due) }
  }
}

/// Keys that began a hold which another key's answer ended. They wait longer and longer instead of stopping everything
/// again, or taking a canary's place from others. A 401 or a redirect never counts against a key: it may come from one of
/// several servers that does not know new credentials yet.
struct Blame: Sendable {
  /// How often each row was put off.
  private var times: [Int64: Int] = [:]
  /// Keys put off in a row while the API answered for no other; beyond a limit the trouble is shared after all.
  private var inARow = 0

  private static let inARowAtMost = 3

  var isEmpty: Bool { times.isEmpty }

  mutating func blame(_ row: Int64) { times[row, default: 0] += 1 }
  mutating func acquit(_ row: Int64) { times[row] = nil }
  mutating func somebodyAnswered() { inARow = 0 }

  /// How often the key was put off, including this time; nil when it is not put off.
  mutating func putOff(_ row: Int64) -> Int? {
    guard let count = times[row], inARow < Self.inARowAtMost else { return nil }
    inARow += 1
    times[row] = count + 1
    return count + 1
  }
}
