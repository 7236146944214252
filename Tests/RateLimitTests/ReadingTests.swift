// What a reply says about the limit: real headers, every form that is in use, and garbage.

import Foundation
import PacingSimulation
import RateLimit
import Testing

@Suite struct ReadingTests {
  private func read(_ headers: [(String, String)], body: String? = nil, wallClock: Seconds = 0) -> RateLimitReading? {
    RateLimitReading(
      headers: headers.map { (name: $0.0, value: $0.1) }, body: body.map { Array($0.utf8) }, wallClock: wallClock)
  }

  @Test func readsEveryRecordedReply() throws {
    let file = try #require(
      Bundle.module.url(forResource: "rate-limit-headers", withExtension: "csv", subdirectory: "Fixtures"))
    let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst()
    #expect(rows.count == 244)
    var aligned = 0
    for row in rows {
      let cells = row.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
      var headers = [
        ("date", cells[1]), ("x-ratelimit-limit", cells[2]), ("X-RateLimit-Period", cells[3]),
        ("X-Ratelimit-Remaining", cells[4]), ("X-RATELIMIT-RESET", cells[5]),
      ]
      if !cells[6].isEmpty { headers.append(("X-RateLimit-Name", cells[6])) }
      let reading = try #require(read(headers))
      let period = try #require(reading.period)
      let reset = try #require(reading.reset)
      let date = try #require(reading.date)
      #expect(reading.limit == Int(cells[2]))
      #expect(period == Double(cells[3]))
      #expect(reading.remaining == Int(cells[4]))
      #expect(reset == Double(cells[5]))
      #expect(reading.name == (cells[6].isEmpty ? nil : cells[6]))
      let distance = (date + reset).truncatingRemainder(dividingBy: period)
      if distance <= 1 { aligned += 1 }
    }
    // What the design rests on: windows end at multiples of their period on the server's clock.
    #expect(aligned == 239)
  }

  @Test func readsADateAsSecondsSince1970() {
    #expect(read([("Date", "Sun, 06 Nov 1994 08:49:37 GMT")])?.date == 784_111_777)
    #expect(read([("Date", "Thu, 29 Feb 2024 23:59:59 GMT")])?.date == 1_709_251_199)
    #expect(read([("Date", "Thu, 01 Jan 1970 00:00:00 GMT")])?.date == 0)
    #expect(read([("Date", "Fri, 31 Dec 9999 23:59:59 GMT")])?.date == 253_402_300_799)
  }

  @Test func readsTheTwoOlderFormsOfADate() {
    #expect(read([("Date", "Sunday, 06-Nov-94 08:49:37 GMT")])?.date == 784_111_777)
    #expect(read([("Date", "Sun Nov  6 08:49:37 1994")])?.date == 784_111_777)
    #expect(read([("Date", "Wed Nov 16 08:49:37 1994")])?.date == 784_975_777)
    // Two digits mean the year that is nearest, up to fifty years ahead.
    let now = 1_795_700_000.0  // 2026-11-26
    #expect(read([("Date", "Thursday, 26-Nov-26 00:00:00 GMT")], wallClock: now)?.date == 1_795_651_200)
    #expect(read([("Date", "Sunday, 06-Nov-94 08:49:37 GMT")], wallClock: now)?.date == 784_111_777)
    #expect(read([("Date", "Friday, 06-Nov-76 00:00:00 GMT")], wallClock: now)?.date == 3_371_846_400)
    #expect(read([("Date", "Sunday, 06-Nov-77 00:00:00 GMT")], wallClock: now)?.date == 247_622_400)
  }

  @Test(arguments: [
    "Sunday, 06-Nov-94 08:49:37 UTC", "Sun Nov 6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sunday, 6-Nov-94 08:49:37 GMT", "Sun Nov  06 08:49:37 1994", "Noday, 06-Nov-94 08:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT", "Sun Nov  6 8:49:37 1994",
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nop 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "",
    "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ünd",
  ])
  func doesNotGuessAtOtherDates(_ text: String) {
    #expect(read([("Date", text)])?.date == nil)
  }

  @Test func readsResetAsDelayAndAsInstant() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    #expect(read([("Date", date), ("X-RateLimit-Reset", "26")])?.reset == 26)
    #expect(read([("Date", date), ("X-RateLimit-Reset", "784111803")])?.reset == 26)
    #expect(read([("Date", date), ("X-RateLimit-Reset", "784111803000")])?.reset == 26)
    #expect(read([("Date", date), ("X-RateLimit-Reset", "784111770")])?.reset == 0)
    #expect(read([("X-RateLimit-Reset", "784111803")], wallClock: 784_111_800)?.reset == 3)
    #expect(read([("X-RateLimit-Reset", "784111803")], wallClock: 0)?.reset == nil)
  }

  @Test func readsRetryAfterAgainstTheServersOwnClock() {
    let date = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(read([("Retry-After", "120")])?.retryAfter == 120)
    #expect(read([date, ("Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT")], wallClock: 5)?.retryAfter == 30)
    #expect(read([date, ("Retry-After", "Sun, 06 Nov 1994 08:40:07 GMT")])?.retryAfter == 0)
    #expect(read([("Retry-After", "999999999999")])?.retryAfter == 2_678_400)
    #expect(read([("Retry-After", String(repeating: "9", count: 30))])?.retryAfter == 2_678_400)
    #expect(read([("Retry-After", "soon")]) == nil)
    #expect(read([date, ("Retry-After", "Sunday, 06-Nov-94 08:50:07 GMT")])?.retryAfter == 30)
    #expect(read([date, ("Retry-After", "Sun Nov  6 08:50:07 1994")])?.retryAfter == 30)
  }

  @Test func ofSeveralWaitsTheLongestIsMeant() {
    let date = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(read([("Retry-After", "30"), ("retry-after", "120")])?.retryAfter == 120)
    #expect(read([("Retry-After", "120, 120")])?.retryAfter == 120)
    #expect(read([("Retry-After", "7, 120,9")])?.retryAfter == 120)
    #expect(read([("Retry-After", "soon"), ("Retry-After", "5")])?.retryAfter == 5)
    #expect(read([date, ("Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT"), ("Retry-After", "9")])?.retryAfter == 30)
    #expect(read([date, ("Retry-After", "9, Sun, 06 Nov 1994 08:50:07 GMT")])?.retryAfter == 30)
  }

  @Test func readsTheDraftsOfTheIETF() {
    let apart = read([("RateLimit-Limit", "100, 100;w=60"), ("RateLimit-Remaining", "7"), ("RateLimit-Reset", "30")])
    #expect(apart == RateLimitReading(limit: 100, period: 60, remaining: 7, reset: 30))
    let dictionary = read([("RateLimit", "limit=100, remaining=50, reset=30"), ("RateLimit-Policy", "100;w=60")])
    #expect(dictionary == RateLimitReading(limit: 100, period: 60, remaining: 50, reset: 30))
    let structured = read([("RateLimit", "\"default\";r=50;t=30"), ("RateLimit-Policy", "\"default\";q=100;w=60")])
    #expect(structured == RateLimitReading(name: "default", limit: 100, period: 60, remaining: 50, reset: 30))
  }

  @Test func aLimitMayNameItsPolicies() {
    #expect(read([("X-RateLimit-Limit", "100, 100;w=10")]) == RateLimitReading(limit: 100, period: 10))
    #expect(read([("X-RateLimit-Limit", "100;w=10")]) == RateLimitReading(limit: 100, period: 10))
    #expect(
      read([("X-RateLimit-Limit", "100"), ("x-ratelimit-limit", "5000;w=3600, 100;w=10")])
        == RateLimitReading(limit: 100, period: 10))
    #expect(
      read([("X-RateLimit-Limit", "100, 100;w=10"), ("X-RateLimit-Period", "60")])
        == RateLimitReading(limit: 100, period: 60))
    #expect(read([("X-RateLimit-Limit", "100, 90")]) == nil)
  }

  @Test func readsTheTightestOfSeveralLimits() {
    let reading = read([
      ("RateLimit", "\"hour\";r=50;t=30, \"day\";r=3;t=3000"),
      ("RateLimit-Policy", "\"hour\";q=100;w=3600,\"day\";q=1000;w=86400"),
    ])
    #expect(reading == RateLimitReading(name: "day", limit: 1_000, period: 86_400, remaining: 3, reset: 3_000))
  }

  @Test func prefersTheVendorsFields() {
    let reading = read([("RateLimit", "limit=9, remaining=9, reset=9"), ("X-RateLimit-Remaining", "4")])
    #expect(reading?.remaining == 4)
  }

  @Test func readsTheLimitInARefusalsText() {
    let text = #"{"errors": ["Rate limit of 10 requests in 300 seconds reached. Please try again later."]}"#
    #expect(read([], body: text)?.stated == Allowance(count: 10, period: 300))
    #expect(read([], body: "RATE LIMIT OF 1 request in 1 second")?.stated == Allowance(count: 1, period: 1))
    #expect(read([], body: "<html>429 Too Many Requests</html>") == nil)
    #expect(read([], body: "rate limit of -5 requests in 300 seconds") == nil)
    #expect(read([], body: "rate limit of 5 requests in 0 seconds") == nil)
    #expect(read([], body: "rate limit of 99999999999999999999 requests in 3 seconds") == nil)
    #expect(read([], body: String(repeating: "x", count: 5_000) + text) == nil)
  }

  @Test(arguments: [
    "-1", "nan", "inf", "1e9", "0x10", "", " ", "12a", "99999999999999999999", "+5", "1.5", "5, 6", "٥",
  ])
  func ignoresWhatIsNoCount(_ text: String) {
    #expect(read([("X-RateLimit-Remaining", text)]) == nil)
    #expect(read([("X-RateLimit-Limit", text)]) == nil)
  }

  @Test func ignoresAFieldThatContradictsItself() {
    #expect(read([("X-RateLimit-Remaining", "5"), ("x-ratelimit-remaining", "6")]) == nil)
    #expect(read([("X-RateLimit-Remaining", "5"), ("x-ratelimit-remaining", " 5 ")])?.remaining == 5)
  }

  @Test func ignoresANameThatIsNone() {
    #expect(read([("X-RateLimit-Name", "a b")]) == nil)
    #expect(read([("X-RateLimit-Name", String(repeating: "n", count: 129))]) == nil)
  }

  @Test func survivesGarbage() {
    var random = SeededRandom(seed: 42)
    let names = [
      "Date", "X-RateLimit-Limit", "x-ratelimit-period", "X-RateLimit-Remaining", "X-RateLimit-Reset",
      "X-RateLimit-Name",
      "Retry-After", "RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Reset",
    ]
    let pieces = [
      "1", "0", "99999999999999999999", "-", ".", ",", ";", "=", "w=", "r=", "t=", "q=", "limit=", "\"", " ", "e",
      "nan",
      "GMT", "Sun, ", ":", "é", "\u{0}", "1e400", "5",
    ]
    for _ in 0..<3_000 {
      let headers = (0..<Int(random.unit() * 6)).map { _ in
        (random.pick(names), (0..<Int(random.unit() * 8)).map { _ in random.pick(pieces) }.joined())
      }
      let body = (0..<Int(random.unit() * 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      guard
        let reading = RateLimitReading(
          headers: headers.map { (name: $0.0, value: $0.1) }, body: body, wallClock: random.uniform(-1e12, 1e12))
      else { continue }
      #expect(reading.limit.map { (1...1_000_000_000).contains($0) } ?? true)
      #expect(reading.remaining.map { (0...1_000_000_000).contains($0) } ?? true)
      #expect(
        [reading.period, reading.reset, reading.retryAfter].allSatisfy { $0.map { 0...2_678_400 ~= $0 } ?? true })
    }
  }
}
