// What a server grants: a number of requests per period. One type for limits that were read, learned or assumed, so
// that other code can ask for a rate without caring where it came from.

/// A duration or an instant in seconds. Instants are on a monotonic clock with an arbitrary zero; the few places that
/// need the wall clock say so.
package typealias Seconds = Double

/// `count` requests in each `period`.
package struct Allowance: Hashable, Sendable, Codable {
  /// Requests, 1…1,000,000,000.
  package var count: Int
  /// Seconds, 0.1…2,678,400 (31 days).
  package var period: Seconds

  static let counts = 1...1_000_000_000
  static let periods: ClosedRange<Seconds> = 0.1...2_678_400

  /// Values out of range become the nearest allowed one; a period that is not a number becomes the shortest.
  package init(count: Int, period: Seconds) {
    self.count = min(max(count, Self.counts.lowerBound), Self.counts.upperBound)
    self.period = max(Self.periods.lowerBound, min(period, Self.periods.upperBound))
  }

  /// Requests a second.
  var rate: Double { Double(count) / period }

  /// `count` as a floating-point number.
  var tokens: Double { Double(count) }
}

extension Allowance: CustomStringConvertible {
  /// Reads `400/1h`, `100/10s`, `6000/m`: a count, a slash, and a duration in `ms`, `s`, `m`, `h` or `d` (without a
  /// number, one). Nil for anything else and for values out of range.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let count = Int(parts[0]), Self.counts.contains(count) else { return nil }
    let number = parts[1].prefix { $0.isNumber || $0 == "." }
    let units: [String: Seconds] = ["ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400]
    guard let unit = units[String(parts[1].dropFirst(number.count))],
      let value = number.isEmpty ? 1 : FieldText.number(number.utf8),
      Self.periods.contains(value * unit)
    else { return nil }
    self.init(count: count, period: value * unit)
  }

  /// As written in the configuration, in the largest unit that divides the period: `400/1h`.
  package var description: String {
    for (unit, length) in [("d", 86_400.0), ("h", 3_600), ("m", 60), ("s", 1)]
    where (period / length).rounded() * length == period {
      return "\(count)/\(Int(clamping: period / length))\(unit)"
    }
    return "\(count)/\(Int(clamping: (period * 1_000).rounded()))ms"
  }
}

extension Int {
  /// The whole part of a number that may come from a file, a header or a database, limited to ±10¹⁵ so that a few of
  /// them can be added; zero for NaN. `Int(_:)` traps on such values.
  init(clamping value: Double) {
    self = value.isNaN ? 0 : Int(Swift.min(Swift.max(value, -1e15), 1e15))
  }
}
