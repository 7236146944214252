import Registration

/// A number of requests in a number of seconds: `100/10s`, `400/1h`.
package struct Quota: Hashable, Sendable {
  /// Requests in one period, 1…1,000,000,000.
  package let count: Int
  /// Whole seconds, 1…86,400, because `X-RateLimit-Period` is a whole number of seconds.
  package let periodSeconds: Int

  private static let counts = 1...1_000_000_000
  private static let periods = 1...86_400
  private static let hint = "write REQUESTS/PERIOD, 1 to 1000000000 in 1s to 24h: 100/10s, 400/1h"

  /// Nil when either number is out of its range.
  package init?(count: Int, periodSeconds: Int) {
    guard Self.counts.contains(count), Self.periods.contains(periodSeconds) else { return nil }
    self.count = count
    self.periodSeconds = periodSeconds
  }

  /// Reads `REQUESTS/PERIOD`. Throws `SyntaxError` for another form, or when a number is out of range.
  package init(parsing text: some StringProtocol) throws {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].allSatisfy({ $0.isASCII && $0.isNumber }), let count = Int(parts[0]) else {
      throw SyntaxError("“\(text)” is not a limit", hint: Self.hint)
    }
    guard Self.counts.contains(count) else {
      throw SyntaxError("“\(text)”: \(count) requests is out of range", hint: Self.hint)
    }
    guard let milliseconds = DurationText.milliseconds(parts[1]) else {
      throw SyntaxError("“\(text)”: “\(parts[1])” is not a duration", hint: Self.hint)
    }
    guard milliseconds % 1000 == 0, let quota = Quota(count: count, periodSeconds: milliseconds / 1000) else {
      throw SyntaxError("“\(text)”: the period is not a whole number of seconds from 1s to 24h", hint: Self.hint)
    }
    self = quota
  }

  var periodMilliseconds: Int64 { Int64(periodSeconds) * 1000 }
}
