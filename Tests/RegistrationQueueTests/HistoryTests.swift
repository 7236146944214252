import Registration
import RegistrationQueue
import Testing

struct HistoryTests {
  private func minute(_ number: Int64, registered: Int = 0) -> MinuteRecord {
    var minute = MinuteRecord(minute: number, state: "working")
    minute.registered = registered
    return minute
  }

  @Test func minutesSurviveARestart() throws {
    let queue = try TemporaryQueue()
    var full = minute(20, registered: 3)
    (full.failed, full.throttled, full.otherRequests) = (1, 2, 4)
    (full.p50, full.p90, full.remaining) = (5, 6, 7)
    try queue.queue.keep([minute(19), full], countedTo: 0, now: full.at)
    try queue.reopen()
    #expect(try queue.queue.history(now: full.at).minutes == [minute(19), full])
  }

  @Test func aMinuteThatIsStoredAgainIsReplaced() throws {
    let queue = try TemporaryQueue()
    try queue.queue.keep([minute(20, registered: 1)], countedTo: 0, now: minute(20).at)
    try queue.queue.keep([minute(20, registered: 2)], countedTo: 0, now: minute(20).at)
    #expect(try queue.queue.history(now: minute(20).at).minutes == [minute(20, registered: 2)])
  }

  @Test func onlyADayIsKept() throws {
    let queue = try TemporaryQueue()
    try queue.queue.keep((1...1_500).map { minute($0) }, countedTo: 0, now: minute(1_500).at)
    #expect(try queue.queue.history(now: minute(1_500).at).minutes.map(\.minute) == Array(61...1_500))
    // The wall clock was wrong.
    try queue.queue.keep([minute(9_000)], countedTo: 0, now: minute(100).at)
    #expect(try queue.queue.history(now: minute(100).at).minutes.map(\.minute) == Array(61...100))
  }

  /// A daemon that is killed has not stored its last minute.
  @Test func outcomesThatNoMinuteCountsAreCountedAtTheStart() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(6), as: "a")
    let due = try temporary.due()
    let present = MinuteRecord.minute(of: temporary.clock.wall)
    for key in due[..<2] { try temporary.record(key, .registered, status: 201) }
    try temporary.queue.keep(
      [minute(present, registered: 2)], countedTo: temporary.queue.newestOutcome, now: temporary.clock.wall)
    try temporary.record(due[2], .registered, status: 201)
    temporary.clock.advance(seconds: 120)
    try temporary.record(due[3], .failed, status: 409)
    try temporary.record(due[4], .registered, status: 201)
    _ = try temporary.queue.cancel(#require(try temporary.queue.list(named: "a")).id, at: temporary.clock.wall)
    try temporary.reopen(closing: false)
    let (history, unsaved) = try temporary.queue.history(now: temporary.clock.wall)
    #expect(history.map(\.minute) == [present, present + 2])
    #expect(history.map(\.registered) == [3, 1] && history.map(\.failed) == [0, 1])
    #expect(unsaved == [present, present + 2])
    // A day later they are history.
    let nextDay = temporary.clock.wall.adding(seconds: 90_000)
    #expect(try temporary.queue.history(now: nextDay).minutes.map(\.registered) == [2])
  }

  @Test func withoutAnyMinuteAllOutcomesAreCounted() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(1), as: "a")
    try temporary.record(temporary.due()[0], .registered, status: 201)
    #expect(try temporary.queue.history(now: temporary.clock.wall).minutes.map(\.registered) == [1])
  }

  @Test func aTimeIsInItsMinute() {
    for (milliseconds, number) in [(0, 0), (59_999, 0), (60_000, 1), (-1, -1)] as [(Int64, Int64)] {
      #expect(MinuteRecord.minute(of: Timestamp(milliseconds: milliseconds)) == number)
    }
  }
}
