package import FoundationEssentials

/// A moment in time, in whole milliseconds since 1970-01-01T00:00:00Z, as it is stored and shown.
///
/// For display and records only. Waits and pacing use a clock that cannot be set.
package struct Timestamp: Hashable, Sendable {
  package let milliseconds: Int64

  package init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  package init(_ date: Date) {
    self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()))
  }

  package static func now() -> Timestamp { Timestamp(Date()) }

  /// Saturates: times come from files that anybody may have edited.
  package func adding(seconds: Double) -> Timestamp {
    let added = seconds.isNaN ? 0 : Int64(min(max((seconds * 1000).rounded(), -9e18), 9e18))
    let (sum, overflows) = milliseconds.addingReportingOverflow(added)
    return Timestamp(milliseconds: overflows ? (added < 0 ? .min : .max) : sum)
  }

  /// Seconds from another time to this one.
  package func seconds(since other: Timestamp) -> Double {
    (Double(milliseconds) - Double(other.milliseconds)) / 1_000
  }

  private static let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}

extension Timestamp: Comparable {
  package static func < (one: Timestamp, other: Timestamp) -> Bool { one.milliseconds < other.milliseconds }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with milliseconds: `2026-11-22T10:00:00.123Z`, for the years 1 to 9999. Times beyond are
  /// shown as the nearest of these.
  ///
  /// Every line of a results file has two of them, so they are computed: a date formatter costs twenty times as much.
  package var description: String {
    let shown = min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_999)
    let (day, time) = Self.split(shown, by: 86_400_000)
    let date = Self.civil(day)
    return String(unsafeUninitializedCapacity: 24) { text in
      var place = 0
      func put(_ value: Int64, digits: Int, then separator: Unicode.Scalar) {
        var value = value
        for digit in (place..<place + digits).reversed() {
          text[digit] = UInt8(ascii: "0") + UInt8(value % 10)
          value /= 10
        }
        text[place + digits] = UInt8(ascii: separator)
        place += digits + 1
      }
      put(date.year, digits: 4, then: "-")
      put(date.month, digits: 2, then: "-")
      put(date.day, digits: 2, then: "T")
      put(time / 3_600_000, digits: 2, then: ":")
      put(time / 60_000 % 60, digits: 2, then: ":")
      put(time / 1_000 % 60, digits: 2, then: ".")
      put(time % 1_000, digits: 3, then: "Z")
      return place
    }
  }

  /// Quotient and remainder, the remainder never negative.
  private static func split(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  /// The Gregorian date of a day counted from 1970-01-01. Years start in March here, so that the leap day is the last day
  /// of its year. Every 400 years have the same 146,097 days.
  private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = split(day + 719_468, by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    return (
      era * 400 + yearOfEra + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9,
      dayOfYear - (153 * month + 2) / 5 + 1
    )
  }

  /// Reads what `description` writes. Nil for anything else.
  package init?(_ text: String) {
    guard let date = try? Self.format.parse(text) else { return nil }
    self.init(date)
  }
}

extension Timestamp: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Timestamp(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an RFC 3339 time: \(text)")
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
