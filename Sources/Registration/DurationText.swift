/// Durations as people write them: a whole number and one unit, `250ms`, `30s`, `5m`, `2h`, `30d`.
package enum DurationText {
  private static let units: KeyValuePairs<String, Int> = [
    "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
  ]

  /// Milliseconds; nil for anything else, for a number without a unit, and beyond ten years.
  package static func milliseconds(_ text: some StringProtocol) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count)
    guard let scale = units.first(where: { $0.key == unit })?.value, let count = Int(digits),
      count <= 315_360_000_000 / scale
    else { return nil }
    return count * scale
  }

  /// In the largest unit that divides it, as `milliseconds` reads it.
  package static func describe(milliseconds: Int) -> String {
    for (unit, scale) in units.reversed() where milliseconds % scale == 0 && milliseconds >= scale {
      return "\(milliseconds / scale)\(unit)"
    }
    return "\(milliseconds)ms"
  }

  /// For display, where fractions of a second count: `57 ms`, `1.2 s`, and from 10 s on as `approximate`.
  package static func fine(seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 9.95 else { return approximate(seconds: seconds) }
    let milliseconds = Int((seconds * 1_000).rounded())
    guard milliseconds >= 1_000 else { return "\(milliseconds) ms" }
    return "\((milliseconds + 50) / 1_000).\((milliseconds + 50) / 100 % 10) s"
  }

  /// For display: `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
  package static func approximate(seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "unknown" }
    let whole = Int(seconds.rounded(.up))
    func pair(_ large: Int, _ largeUnit: String, _ small: Int, _ smallUnit: String) -> String {
      small == 0 ? "\(large) \(largeUnit)" : "\(large) \(largeUnit) \(small) \(smallUnit)"
    }
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3_600: return pair(whole / 60, "min", whole % 60, "s")
    case ..<86_400: return pair(whole / 3_600, "h", whole % 3_600 / 60, "min")
    default: return pair(whole / 86_400, "d", whole % 86_400 / 3_600, "h")
    }
  }
}

/// Sizes as people write them: a whole number and one unit, `512B`, `64KiB`, `16MiB`, `1GiB`.
package enum SizeText {
  private static let units: KeyValuePairs<String, Int> = [
    "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
  ]

  /// Bytes; nil for anything else, and beyond 1,024 TiB.
  package static func bytes(_ text: some StringProtocol) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count)
    guard let scale = units.first(where: { $0.key == unit })?.value, let count = Int(digits), count <= (1 << 50) / scale
    else { return nil }
    return count * scale
  }

  /// In the largest unit that divides it, as `bytes` reads it.
  package static func describe(bytes: Int) -> String {
    for (unit, scale) in units.reversed() where bytes % scale == 0 && bytes >= scale {
      return "\(bytes / scale)\(unit)"
    }
    return "\(bytes)B"
  }
}
