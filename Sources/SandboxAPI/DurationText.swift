/// Durations as people write them: a whole number and one unit, `250ms`, `30s`, `5m`, `2h`.
package enum DurationText {
  private static let hint = "write a whole number and one of ms, s, m, h: 250ms, 30s, 5m, 2h"
  private static let unitsInMilliseconds: KeyValuePairs<String, Int64> = [
    "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000,
  ]

  /// Reads a duration of 0 to 10,000 hours. Throws `SyntaxError` for anything else, a missing unit included.
  package static func parse(_ text: some StringProtocol) throws -> Duration {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count)
    guard let scale = unitsInMilliseconds.first(where: { $0.key == unit })?.value, let count = Int64(digits),
      count <= 36_000_000_000 / scale
    else { throw SyntaxError("“\(text)” is not a duration", hint: hint) }
    return .milliseconds(count * scale)
  }
}

extension Duration {
  /// Whole milliseconds, what is smaller cut off.
  var wholeMilliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
