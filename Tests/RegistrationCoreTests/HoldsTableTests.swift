import RateLimit
import Registration
import Testing

@testable import RegistrationCore

/// Every cell of the table in `Holds`: seven replies in six states, to a canary and to what was under way before.
@Suite struct HoldsTableTests {
  enum Phase: String, CaseIterable {
    case open, askingCredentials, askingOutage, credentials, outage, refused
  }

  enum Answer: String, CaseIterable {
    case registered, denied, unauthorized, forbidden, unanswered, misdirected, throttled

    var verdict: Verdict {
      switch self {
      case .registered: .registered(status: 201)
      case .denied: .failed(status: 400, title: "Invalid Parameter", detail: "no")
      case .unauthorized: .unauthorized(detail: nil)
      case .forbidden: .forbidden(title: "Forbidden", detail: nil)
      case .unanswered: .unsettled(status: 503, title: "Service Unavailable", detail: nil)
      case .misdirected: .misdirected(status: 302, title: "Redirected", detail: nil)
      case .throttled: .throttled
      }
    }
  }

  /// The state afterwards, and what becomes of the key.
  private struct Cell: Equatable, CustomStringConvertible {
    var place: Phase
    var key: String
    var description: String { "\(place.rawValue), \(key)" }

    init(_ place: Phase, _ key: String) { (self.place, self.key) = (place, key) }
  }

  private static let canary: [Phase: [Answer: Cell]] = [
    .askingCredentials: [
      .registered: Cell(.open, "registered"), .denied: Cell(.askingCredentials, "kept"),
      .unauthorized: Cell(.credentials, "due"), .forbidden: Cell(.askingCredentials, "kept"),
      .unanswered: Cell(.askingCredentials, "due"), .misdirected: Cell(.outage, "due"),
      .throttled: Cell(.askingCredentials, "due"),
    ],
    .askingOutage: [
      .registered: Cell(.open, "registered"), .denied: Cell(.open, "kept"), .unauthorized: Cell(.credentials, "due"),
      .forbidden: Cell(.askingCredentials, "kept"), .unanswered: Cell(.askingOutage, "due"),
      .misdirected: Cell(.outage, "due"), .throttled: Cell(.askingOutage, "due"),
    ],
    .credentials: [
      .registered: Cell(.open, "registered"), .denied: Cell(.open, "kept"), .unauthorized: Cell(.credentials, "due"),
      .forbidden: Cell(.credentials, "due"), .unanswered: Cell(.credentials, "due"),
      .misdirected: Cell(.outage, "due"), .throttled: Cell(.credentials, "due"),
    ],
    .outage: [
      .registered: Cell(.open, "registered"), .denied: Cell(.open, "kept"), .unauthorized: Cell(.credentials, "due"),
      .forbidden: Cell(.askingCredentials, "kept"), .unanswered: Cell(.outage, "due"),
      .misdirected: Cell(.outage, "due"), .throttled: Cell(.outage, "due"),
    ],
    .refused: [
      .registered: Cell(.open, "registered"), .denied: Cell(.refused, "due"), .unauthorized: Cell(.credentials, "due"),
      .forbidden: Cell(.refused, "due"), .unanswered: Cell(.refused, "due"), .misdirected: Cell(.outage, "due"),
      .throttled: Cell(.refused, "due"),
    ],
  ]

  private static let others: [Phase: [Answer: Cell]] = [
    .open: [
      .registered: Cell(.open, "registered"), .denied: Cell(.open, "kept"), .unauthorized: Cell(.credentials, "due"),
      .forbidden: Cell(.askingCredentials, "kept"), .unanswered: Cell(.open, "tried again"),
      .misdirected: Cell(.outage, "due"), .throttled: Cell(.open, "due"),
    ],
    .askingCredentials: [
      .registered: Cell(.askingCredentials, "registered"), .denied: Cell(.askingCredentials, "kept"),
      .unauthorized: Cell(.credentials, "due"), .forbidden: Cell(.askingCredentials, "kept"),
      .unanswered: Cell(.askingCredentials, "due"), .misdirected: Cell(.outage, "due"),
      .throttled: Cell(.askingCredentials, "due"),
    ],
    .askingOutage: [
      .registered: Cell(.askingOutage, "registered"), .denied: Cell(.askingOutage, "kept"),
      .unauthorized: Cell(.credentials, "due"), .forbidden: Cell(.askingCredentials, "kept"),
      .unanswered: Cell(.askingOutage, "due"), .misdirected: Cell(.outage, "due"),
      .throttled: Cell(.askingOutage, "due"),
    ],
    .credentials: [
      .registered: Cell(.credentials, "registered"), .denied: Cell(.credentials, "due"),
      .unauthorized: Cell(.credentials, "due"), .forbidden: Cell(.credentials, "due"),
      .unanswered: Cell(.credentials, "due"), .misdirected: Cell(.outage, "due"), .throttled: Cell(.credentials, "due"),
    ],
    .outage: [
      .registered: Cell(.outage, "registered"), .denied: Cell(.outage, "due"), .unauthorized: Cell(.credentials, "due"),
      .forbidden: Cell(.outage, "due"), .unanswered: Cell(.outage, "due"), .misdirected: Cell(.outage, "due"),
      .throttled: Cell(.outage, "due"),
    ],
    .refused: [
      .registered: Cell(.open, "registered"), .denied: Cell(.refused, "due"), .unauthorized: Cell(.credentials, "due"),
      .forbidden: Cell(.refused, "due"), .unanswered: Cell(.refused, "due"), .misdirected: Cell(.outage, "due"),
      .throttled: Cell(.refused, "due"),
    ],
  ]

  @Test(arguments: Phase.allCases, Answer.allCases)
  func everyCellIsAsTheTableHasIt(place: Phase, answer: Answer) throws {
    for isCanary in place == .open ? [false] : [true, false] {
      let expected = try #require((isCanary ? Self.canary : Self.others)[place]?[answer])
      var holds = Self.holds(in: place)
      try #require(Self.place(of: holds) == place)
      let job = Self.job(90, order: 90, isProbe: isCanary)
      let effects = holds.observe(answer.verdict, for: job, sent: 90, now: 50)
      let found = Cell(Self.place(of: holds), Self.fate(of: job, in: effects))
      #expect(found == expected, "\(answer.rawValue) in \(place.rawValue)\(isCanary ? ", canary" : ""): \(effects)")
      Self.checkNews(effects, from: place, to: found.place)
      // Whatever it was, a canary that has come back lets another go.
      if isCanary { #expect(holds.gate(now: 50) != .closed(until: nil)) }
    }
  }

  /// A hold that ends or begins is told, once.
  private static func checkNews(_ effects: [Holds.Effect], from old: Phase, to new: Phase) {
    let holding: [Phase] = [.credentials, .outage, .refused]
    let ended = effects.compactMap { if case .ended(let reason) = $0 { reason.rawValue } else { nil } }
    let began = effects.compactMap { if case .began(let hold) = $0 { hold.reason.rawValue } else { nil } }
    #expect(ended == (old != new && holding.contains(old) ? [old.rawValue] : []))
    #expect(began == (old != new && holding.contains(new) ? [new.rawValue] : []))
  }

  private static func fate(of job: Job, in effects: [Holds.Effect]) -> String {
    var fates: [String] = []
    for effect in effects {
      switch effect {
      case .register(job, _): fates.append("registered")
      case .release(job): fates.append("due")
      case .keep(job): fates.append("kept")
      case .retry(job, _, _): fates.append("tried again")
      case .postpone(job, _, _): fates.append("put off")
      case .lookAgain(job, _, _): fates.append("second look")
      case .fail(job, _): fates.append("failed")
      default: break
      }
    }
    // One fate for each key: nothing is lost, and nothing is done twice.
    return fates.joined(separator: " and ")
  }

  private static func place(of holds: Holds) -> Phase {
    switch holds.state {
    case .open: .open
    case .inquiring(.credentials, _): .askingCredentials
    case .inquiring(.outage, _): .askingOutage
    case .holding(let hold, _):
      switch hold.reason {
      case .credentials: .credentials
      case .outage: .outage
      case .refused: .refused
      }
    }
  }

  /// Brought about by replies alone.
  private static func holds(in place: Phase) -> Holds {
    var holds = Holds(retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300), seed: 3)
    let replies: [Answer] =
      switch place {
      case .open: []
      case .askingCredentials: [.forbidden]
      case .askingOutage: Array(repeating: .unanswered, count: 5)
      case .credentials: [.unauthorized]
      case .outage: [.misdirected]
      case .refused: Array(repeating: .denied, count: 20)
      }
    for (index, answer) in replies.enumerated() {
      _ = holds.observe(answer.verdict, for: job(Int64(index), order: index), sent: index, now: 0)
    }
    return holds
  }

  private static func job(_ row: Int64, order: Int, isProbe: Bool = false) -> Job {
    Job(
      key: DueKey(row: row, id: AppKeyID(high: 0, low: UInt64(row)), attempts: 0, state: .pending), order: order,
      sentAt: Timestamp(milliseconds: 0), isProbe: isProbe)
  }
}
