// When to look for what comes back, and what the looks show.

import Testing

@testable import RateLimit

@Suite struct ReturnSearchTests {
  /// The moments of the looks of a limit that gives nothing back, the first stock from 100 on.
  private func looks(_ count: Int, isFree: Bool, clock: ServerClock = ServerClock()) -> [Seconds] {
    var search = ReturnSearch(from: 100, isFirst: true)
    var last: Seconds = 100.5
    return (0..<count).map { _ in
      last = search.nextLook(after: last, isFree: isFree, clock: clock)
      search.nothing(at: last)
      return last
    }
  }

  @Test func looksComeMoreAndMoreSeldom() {
    let free = looks(50, isFree: true)
    #expect(zip(free, free.dropFirst()).allSatisfy { $1 > $0 && $1 - $0 <= max(0.51, 0.26 * ($0 - 100)) })
    #expect(free.contains { $0 - 100 > 3_600 })
    // Those that are refused cost more.
    #expect(looks(20, isFree: false).contains { $0 - 100 > 3_600 })
  }

  @Test(arguments: [5.0, 10, 60, 300, 3_600])
  func oneLookGoesWhenAWindowOfTheFirstRequestWouldBeOver(period: Seconds) {
    #expect(looks(60, isFree: true).contains { (period..<period + 0.1).contains($0 - 100) })
  }

  @Test func oneLookGoesAtTheCalendarsEdge() {
    let looks = looks(50, isFree: true, clock: .ours)
    for edge in [110.0, 120, 180, 300, 600, 3_600] {
      #expect(looks.contains { (edge..<edge + 0.2).contains($0) }, "\(edge)")
    }
  }

  @Test func noWaitIsLongerThanADay() {
    let looks = looks(100, isFree: false)
    #expect(zip(looks, looks.dropFirst()).allSatisfy { $1 - $0 < 86_401 } && looks[99] > 80 * 86_400)
  }

  /// The edges are between 1 and 9 s and between 16 and 17 s: the period may be 10 or 15 s.
  @Test func whereTwoPeriodsFitAThirdWindowDecides() {
    var search = ReturnSearch(from: 0, isFirst: false)
    search.nothing(at: 1)
    let first = search.found(95, of: 95, limit: 100, sentAt: 8.9, now: 9)
    search.nothing(at: 16)
    let second = search.found(95, of: 95, limit: 100, sentAt: 16.9, now: 17)
    search.nothing(at: 25)
    let third = search.found(95, of: 95, limit: 100, sentAt: 26.4, now: 26.5)
    #expect(first == nil && second == nil && third == .windows(period: 10))
  }

  /// The example at the head of the file.
  @Test func twoWindowsGiveThePeriod() {
    var search = ReturnSearch(from: 0, isFirst: true)
    for look in [1.1, 1.6, 2.1, 2.6, 3.3, 4.1, 5.1] { search.nothing(at: look) }
    let first = search.found(95, of: 95, limit: 100, sentAt: 6.4, now: 6.5)
    #expect(first == nil)
    let next = search.nextLook(after: 7.5, isFree: false, clock: ServerClock())
    #expect(next == 16.5, "no period is shorter than 5.1 s")
    search.nothing(at: 15)
    let second = search.found(95, of: 95, limit: 100, sentAt: next, now: 16.6)
    #expect(second == .windows(period: 10))
  }

  @Test func whatComesBackAllTheTimeIsARefill() {
    var search = ReturnSearch(from: 0, isFirst: true)
    let found = [(0.5, 5), (1.5, 10), (2.5, 10)].map { search.found($1, of: 90, limit: 100, sentAt: $0, now: $0) }
    #expect(found == [nil, nil, .refill(rate: 10)])
  }

  /// The looks of a first window leave a log one by one after the rush that came before them.
  @Test func aRushAndAFewAfterItAreNoRefill() {
    var search = ReturnSearch(from: 0, isFirst: false)
    search.nothing(at: 9)
    let first = search.found(80, of: 100, limit: 100, sentAt: 10.1, now: 10.2)
    search.nothing(at: 11)
    let part = search.found(2, of: 80, limit: 100, sentAt: 12, now: 12.1)
    let more = search.found(10, of: 80, limit: 100, sentAt: 15.2, now: 15.3)
    let second = search.found(80, of: 95, limit: 100, sentAt: 20.2, now: 20.3)
    #expect(first == nil && part == nil && more == nil && second == .windows(period: 10))
  }

  @Test func aWindowThatMayHaveBegunWithTheFirstRequestGivesThePeriodAtOnce() {
    let found = [true, false].map { isFirst in
      var search = ReturnSearch(from: 0, isFirst: isFirst)
      search.nothing(at: 9)
      return search.found(80, of: 100, limit: 100, sentAt: 10.05, now: 10.1)
    }
    #expect(found == [.windows(period: 10), nil], "what was found wrong before is not believed so soon")
  }
}
