// What one reply says about the limit, taken from its headers in any form and from the text of a refusal. A value that
// cannot be meant (not a number, negative, absurd, stated twice differently) is treated as absent: the pacer works with
// any part missing, and a wrong number is worse than none.

package struct RateLimitReading: Hashable, Sendable {
  /// The limit's name; replies without one belong to one nameless limit.
  package var name: String?
  package var limit: Int?
  /// Seconds of a window.
  package var period: Seconds?
  /// Requests left, after this one.
  package var remaining: Int?
  /// Seconds from the reply until the window ends, at most 31 days.
  package var reset: Seconds?
  /// Seconds from the reply, at most 31 days.
  package var retryAfter: Seconds?
  /// The server's clock, in whole seconds since 1970.
  package var date: Seconds?
  /// The limit named in the text of a refusal.
  package var stated: Allowance?

  /// Whether it says when more comes, or how long the period is.
  var isTimed: Bool { period != nil || reset != nil }

  package init(
    name: String? = nil, limit: Int? = nil, period: Seconds? = nil, remaining: Int? = nil, reset: Seconds? = nil,
    retryAfter: Seconds? = nil, date: Seconds? = nil, stated: Allowance? = nil
  ) {
    self.name = name
    self.limit = limit
    self.period = period
    self.remaining = remaining
    self.reset = reset
    self.retryAfter = retryAfter
    self.date = date
    self.stated = stated
  }

  /// The names of the header fields that are read, in lower case.
  package static let fields = Fields.known

  /// Reads the headers of a reply, in any letter case, and the body of a refusal.
  ///
  /// - Parameters:
  ///   - body: Of a 429, if there is one; only its beginning is read.
  ///   - wallClock: Our clock in seconds since 1970. Used only if the reply has no Date, since clocks can be wrong.
  /// - Returns: Nil when the reply says nothing at all.
  package init?(
    headers: [(name: String, value: String)], body: [UInt8]? = nil, wallClock: Seconds
  ) {
    let fields = Fields(headers)
    let field = { (name: String) -> String? in fields.joined(name) }
    let number = { (name: String) -> Double? in field(name).flatMap { FieldText.number($0.utf8) } }
    let ietf = IETFFields(field)
    let listed = field("x-ratelimit-limit").flatMap(LimitList.init)

    let date = field("date").flatMap { DateField.epoch($0, near: wallClock) }
    let clock = date ?? wallClock
    self.init(
      name: Self.name(field("x-ratelimit-name") ?? ietf.name),
      limit: Self.count(listed?.limit ?? ietf.limit, in: Allowance.counts),
      period: (number("x-ratelimit-period") ?? listed?.period ?? ietf.period)
        .flatMap { Allowance.periods.contains($0) ? $0 : nil },
      remaining: Self.count(
        number("x-ratelimit-remaining") ?? ietf.remaining, in: 0...Allowance.counts.upperBound),
      reset: (number("x-ratelimit-reset") ?? ietf.reset).flatMap { Self.delay($0, clock: clock) },
      retryAfter: RetryAfter.seconds(fields.values(of: "retry-after"), clock: clock)
        .map { min($0, Allowance.periods.upperBound) },
      date: date,
      stated: body.flatMap(RefusalText.allowance))
    if self == RateLimitReading() { return nil }
  }

  private static func name(_ text: String?) -> String? {
    guard let text, !text.isEmpty, text.utf8.count <= 128, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      return nil
    }
    return text
  }

  private static func count(_ value: Double?, in range: ClosedRange<Int>) -> Int? {
    guard let value, value == value.rounded(), range.contains(Int(clamping: value)) else { return nil }
    return Int(clamping: value)
  }

  /// Reset comes as seconds to wait, as seconds since 1970, or as milliseconds since 1970, and nothing says which. No
  /// wait is 3 years long, and no date is that early.
  private static func delay(_ value: Double, clock: Seconds) -> Seconds? {
    let delay = value > 1e11 ? value / 1_000 - clock : value > 1e8 ? value - clock : value
    return delay < -86_400 || delay > Allowance.periods.upperBound ? nil : max(0, delay)
  }
}
