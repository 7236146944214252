package import FoundationEssentials

/// A moment in time, in whole milliseconds since 1970-01-01T00:00:00Z, as it is stored and shown.
///
/// It is for people and records only. Waiting and pacing use a monotonic clock, which the operator cannot set.
package struct Timestamp: Hashable, Sendable {
  package let milliseconds: Int64

  package init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  package init(_ date: Date) {
    self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()))
  }

  package static func now() -> Timestamp { Timestamp(Date()) }

  package var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

  /// Saturates: times are read from files that anybody may have edited.
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
  /// RFC 3339 in UTC with milliseconds: `2026-11-22T10:00:00.123Z`.
  ///
  /// The style cuts off what is below a millisecond, and the nearest binary fraction often lies just below one: half a
  /// millisecond more keeps every value what it is.
  package var description: String {
    // The form has years of four digits.
    let shown = min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_999)
    return Date(timeIntervalSince1970: (Double(shown) + 0.5) / 1000).formatted(Self.format)
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
