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
    try queue.queue.keep([minute(19), full], now: full.at)
    try queue.reopen()
    #expect(try queue.queue.history() == [minute(19), full])
  }

  @Test func aMinuteThatIsStoredAgainIsReplaced() throws {
    let queue = try TemporaryQueue()
    try queue.queue.keep([minute(20, registered: 1)], now: minute(20).at)
    try queue.queue.keep([minute(20, registered: 2)], now: minute(20).at)
    #expect(try queue.queue.history() == [minute(20, registered: 2)])
  }

  @Test func onlyADayIsKept() throws {
    let queue = try TemporaryQueue()
    try queue.queue.keep((1...1_500).map { minute($0) }, now: minute(1_500).at)
    #expect(try queue.queue.history().map(\.minute) == Array(61...1_500))
    // The wall clock was wrong.
    try queue.queue.keep([minute(9_000)], now: minute(100).at)
    #expect(try queue.queue.history().map(\.minute) == Array(61...100))
  }

  @Test func aTimeIsInItsMinute() {
    for (milliseconds, number) in [(0, 0), (59_999, 0), (60_000, 1), (-1, -1)] as [(Int64, Int64)] {
      #expect(MinuteRecord.minute(of: Timestamp(milliseconds: milliseconds)) == number)
    }
  }
}
