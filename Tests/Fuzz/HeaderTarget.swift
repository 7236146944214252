import Foundation

@testable import RateLimit

private let month: ClosedRange<Double> = 0...2_678_400

/// What headers say of a limit: `Name: value` lines, an empty line, and the body of a refusal. Whatever is read is in range,
/// does not depend on the letter case of names, and a date is the one that the C library calls so.
func fuzzHeaders(_ bytes: [UInt8]) {
  let (headers, body) = parse(bytes)
  for clock in [0, 1.8e9, 4e9] as [Double] {
    guard let reading = RateLimitReading(headers: headers, body: body, wallClock: clock) else { continue }
    check(reading)
    let shouted = headers.map { (name: $0.name.uppercased(), value: $0.value) }
    if headers.allSatisfy({ $0.name.utf8.allSatisfy { $0 < 128 } }) {
      require(RateLimitReading(headers: shouted, body: body, wallClock: clock) == reading, "the case of a name counts")
    }
  }
  for header in headers { checkDate(header.value) }
}

func check(_ reading: RateLimitReading) {
  require(reading.limit.map { (1...1_000_000_000).contains($0) } ?? true, "limit \(reading.limit ?? 0)")
  require(reading.period.map { (0.1...2_678_400).contains($0) } ?? true, "period \(reading.period ?? 0)")
  require(reading.remaining.map { (0...1_000_000_000).contains($0) } ?? true, "remaining \(reading.remaining ?? 0)")
  require(reading.reset.map { month.contains($0) } ?? true, "reset \(reading.reset ?? 0)")
  require(reading.retryAfter.map { month.contains($0) } ?? true, "Retry-After \(reading.retryAfter ?? 0)")
  require(reading.date.map { (0...2.54e11).contains($0) && $0 == $0.rounded() } ?? true, "date \(reading.date ?? 0)")
  requirePrintable(reading.name, "a limit's name")
}

/// The digits of an IMF-fixdate that was read are those of its time, apart from a day that its month has not, and a leap
/// second.
private func checkDate(_ text: String) {
  guard text.utf8.count == 29, let epoch = DateField.epoch(text, near: 1.8e9) else { return }
  var time = time_t(epoch)
  var parts = tm()
  gmtime_r(&time, &parts)
  let digits = text.utf8.filter { (48...57).contains($0) }.map { Int($0) - 48 }
  require(digits.count == 12, "a date with \(digits.count) digits")
  let (day, second) = (digits[0] * 10 + digits[1], digits[10] * 10 + digits[11])
  guard day <= 28, second < 60 else { return }
  let year = digits[2...5].reduce(0) { $0 * 10 + $1 }
  require(
    [year, day, digits[6] * 10 + digits[7], digits[8] * 10 + digits[9], second] == [
      Int(parts.tm_year) + 1_900, Int(parts.tm_mday), Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec),
    ], "\(text) is read as \(epoch)")
}

/// `Name: value` lines up to an empty one, and what follows it.
func parse(_ bytes: some Collection<UInt8>) -> (headers: [(name: String, value: String)], body: [UInt8]) {
  var headers: [(name: String, value: String)] = []
  var rest = Array(bytes)[...]
  while !rest.isEmpty {
    let line = rest.prefix { $0 != UInt8(ascii: "\n") }
    rest = rest.dropFirst(line.count + 1)
    if line.isEmpty { break }
    let name = line.prefix { $0 != UInt8(ascii: ":") }
    headers.append((name.text, line.dropFirst(name.count + 1).text))
  }
  return (headers, Array(rest))
}
