import ControlAPI
import RateLimit
import Registration
import RegistrationQueue
import Testing

@testable import RegistrationDaemon

struct HistoryTests {
  private func time(_ seconds: Double) -> Timestamp { Timestamp(milliseconds: 0).adding(seconds: 86_400 + seconds) }

  private func sample(registered: Int, failed: Int = 0, state: StatusDocument.State = .working) -> History.Sample {
    var statistics = Statistics()
    statistics.settled(registered: registered, failed: failed, now: 0)
    return History.Sample(statistics: statistics, remaining: 9, state: state)
  }

  @Test func eachMinuteHasWhatIsNewInIt() {
    let history = History()
    history.look(sample(registered: 0), now: time(0))
    history.look(sample(registered: 5), now: time(30))
    history.look(sample(registered: 7, failed: 1), now: time(61))
    history.look(sample(registered: 9, failed: 1, state: .idle), now: time(90))
    let minutes = history.minutes()
    #expect(minutes.map(\.registered) == [5, 4] && minutes.map(\.failed) == [0, 1])
    // Idle at the last look, but work was done.
    #expect(minutes.map(\.state) == ["working", "working"] && minutes.map(\.remaining) == [9, 9])
    #expect(history.minutes(since: time(60)).map(\.registered) == [4])
  }

  /// Rather than the most recently sampled state.
  @Test func theStateOfAMinuteIsTheOneThatLastedLongest() {
    let history = History()
    var statistics = Statistics()
    func look(_ phase: Phase, until end: Double, from start: Double) {
      statistics.stood(nil, phase, isBusy: true, from: start, to: end)
      history.look(.init(statistics: statistics, remaining: nil, state: .init(phase)), now: time(end))
    }
    look(.working, until: 20, from: 0)
    look(.waiting, until: 55, from: 20)
    look(.idle, until: 59, from: 55)
    #expect(history.minutes().map(\.state) == ["waiting"])
    look(.idle, until: 110, from: 59)
    #expect(history.minutes().map(\.state) == ["waiting", "idle"])
    look(.working, until: 111, from: 110)
    look(.idle, until: 119, from: 111)
    #expect(history.minutes().map(\.state) == ["waiting", "working"])
  }

  @Test func aRestartGoesOnInTheSameMinute() {
    let first = History()
    first.look(sample(registered: 5), now: time(10))
    let second = History(kept: first.minutes())
    second.look(sample(registered: 2), now: time(40))
    #expect(second.minutes().map(\.registered) == [7])
  }

  @Test func onlyADayIsKeptWhateverTheClockDoes() {
    let history = History()
    for minute in 0..<2_000 { history.look(sample(registered: minute), now: time(Double(minute) * 60)) }
    #expect(history.minutes().count == 1_440)
    history.look(sample(registered: 2_000), now: time(600))
    #expect(history.minutes().last?.at == time(600))
  }

  @Test func nothingIsStoredTwiceAndAMachineAtRestIsLeftToSleep() {
    let history = History()
    var stored: [[Int64]] = []
    func save(isLast: Bool = false) {
      history.save(isLast: isLast) { minutes, _ in stored.append(minutes.map(\.minute)) }
    }
    history.look(sample(registered: 1), now: time(0))
    save()
    save()
    #expect(stored == [[1_440]])
    for minute in 1...9 { history.look(sample(registered: 1), now: time(Double(minute) * 60)) }
    save()
    #expect(stored.count == 1)
    history.look(sample(registered: 1), now: time(600))
    save()
    #expect(stored.last == Array(1_441...1_450))
    history.look(sample(registered: 1), now: time(660))
    save(isLast: true)
    #expect(stored.last == [1_451])
  }

  @Test func whatCannotBeStoredIsStoredLater() {
    struct Full: Error {}
    let history = History()
    history.look(sample(registered: 1), now: time(0))
    #expect(throws: Full.self) { try history.save { _, _ in throw Full() } }
    var stored = 0
    history.save { minutes, _ in stored += minutes.count }
    let count = stored
    #expect(count == 1)
  }
}
