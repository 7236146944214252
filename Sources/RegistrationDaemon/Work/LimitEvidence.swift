package import RateLimit
package import Registration
import RegistrationAPI

/// The evidence for the known rate limits: which replies changed them and when, and how often the API refused. It survives
/// restarts, and is what an operator sends to the vendor to ask for a higher limit.
package struct LimitEvidence: Codable, Equatable, Sendable {
  /// What one reply said about a limit.
  package struct Said: Codable, Equatable, Sendable {
    package var at: Timestamp
    package var status: Int?
    package var name: String?
    package var limit: Int?
    /// Seconds.
    package var period: Seconds?
    package var remaining: Int?
    /// Seconds from the reply until the window ends.
    package var reset: Seconds?
    /// Seconds from the reply.
    package var retryAfter: Seconds?

    init(_ exchange: Exchange, at: Timestamp) {
      self.at = at
      status = exchange.status
      guard let reading = exchange.paced.reading else { return }
      name = reading.name
      limit = reading.limit ?? reading.stated?.count
      period = reading.period ?? reading.stated?.period
      remaining = reading.remaining
      reset = reading.reset
      retryAfter = reading.retryAfter
    }
  }

  /// A limit, and the reply that made it known.
  package struct Change: Codable, Equatable, Sendable {
    package var at: Timestamp
    package var name: String?
    package var allowance: Allowance
    /// `LimitStanding.Source`.
    package var source: String
    package var said: Said
  }

  /// Changes that are kept; the oldest goes first.
  static let keptChanges = 50

  /// The base address of the API that this is about.
  package private(set) var endpoint: String
  /// When the first reply was counted; nil before it.
  package private(set) var since: Timestamp?
  /// Replies that said something about a limit.
  package private(set) var replies = 0
  /// Replies with 429.
  package private(set) var refusals = 0
  package private(set) var lastRefusal: Said?
  /// Oldest first.
  package private(set) var changes: [Change] = []

  package init(endpoint: String) {
    self.endpoint = endpoint
  }

  /// Counts a reply.
  mutating func received(_ exchange: Exchange, at: Timestamp) {
    let isRefusal = exchange.paced.kind == .throttled
    guard isRefusal || exchange.paced.reading?.saysLimit == true else { return }
    since = since ?? at
    replies += 1
    guard isRefusal else { return }
    refusals += 1
    lastRefusal = Said(exchange, at: at)
  }

  /// A reply changed `limits`.
  mutating func changed(_ limits: [KnownLimit], by exchange: Exchange, at: Timestamp) {
    for limit in limits {
      let change = Change(
        at: at, name: limit.name, allowance: limit.allowance, source: limit.source.rawValue,
        said: Said(exchange, at: at))
      // After a restart the same is found again.
      if let last = belief(in: limit.name), (last.allowance, last.source) == (change.allowance, change.source) {
        continue
      }
      changes.append(change)
    }
    changes.removeFirst(max(0, changes.count - Self.keptChanges))
  }

  /// The limits as they were last logged.
  var limits: [KnownLimit] {
    Set(changes.map(\.name)).compactMap { name in
      belief(in: name).flatMap { belief in
        LimitStanding.Source(rawValue: belief.source).map {
          KnownLimit(name: name, allowance: belief.allowance, source: $0)
        }
      }
    }
  }

  /// The last change of the limit with this name.
  package func belief(in name: String?) -> Change? { changes.last { $0.name == name } }
}

extension RateLimitReading {
  /// More than the server's clock.
  fileprivate var saysLimit: Bool {
    limit != nil || remaining != nil || reset != nil || retryAfter != nil || period != nil || stated != nil
  }
}
