import ControlAPI
import RateLimit
import Registration
import RegistrationQueue
import Testing

@testable import RegistrationDaemon

struct HistoryTests {
  private func time(_ seconds: Double) -> Timestamp { Timestamp(milliseconds: 0).adding(seconds: 86_400 + seconds) }

  /// After the keys in `registered` and `failed` got their outcome, each at its time in seconds.
  private func sample(
    registered: [Double] = [], failed: [Double] = [], state: StatusDocument.State = .working, newest: Int64 = 0
  ) -> History.Sample {
    var statistics = Statistics()
    for (decision, times) in [(KeyResult.Decision.registered, registered), (.failed, failed)] {
      for at in times.map(time) {
        statistics.settled([KeyResult(row: 1, decision: decision, sentAt: at, at: at)], now: 0, wall: at)
      }
    }
    return History.Sample(statistics: statistics, remaining: 9, state: state, newestOutcome: newest)
  }

  @Test func eachMinuteHasWhatIsNewInIt() {
    let history = History()
    history.look(sample(), now: time(0))
    history.look(sample(registered: [10, 20, 30]), now: time(30))
    history.look(sample(registered: [10, 20, 30, 60], failed: [61]), now: time(61))
    history.look(sample(registered: [10, 20, 30, 60, 70], failed: [61], state: .idle), now: time(90))
    let minutes = history.minutes()
    #expect(minutes.map(\.registered) == [3, 2] && minutes.map(\.failed) == [0, 1])
    // Idle at the last look, but work was done.
    #expect(minutes.map(\.state) == ["working", "working"] && minutes.map(\.remaining) == [9, 9])
    #expect(history.minutes(since: time(60)).map(\.registered) == [2])
  }

  /// A sample is taken every few seconds only.
  @Test func anOutcomeIsInTheMinuteOfItsOwnTimeWheneverItIsSeen() {
    let history = History()
    history.look(sample(registered: [50]), now: time(51))
    var stored: [Int64: Int] = [:]
    func save() { history.save { minutes, _ in for minute in minutes { stored[minute.minute] = minute.registered } } }
    save()
    history.look(sample(registered: [50, 59, 59.9, 60, 181]), now: time(125))
    #expect(history.minutes().map(\.registered) == [3, 1, 1])
    // What was stored is stored anew.
    save()
    #expect(stored == [1_440: 3, 1_441: 1, 1_442: 1])
  }

  /// They were decided before the clock was set back.
  @Test func noOutcomeIsInAMinuteThatIsStillToCome() {
    let history = History()
    history.look(sample(registered: [200]), now: time(30))
    #expect(history.minutes().map(\.minute) == [1_440] && history.minutes().map(\.registered) == [1])
  }

  /// After a kill: no minute that is stored counts them, and the number of the newest outcome goes on.
  @Test func whatWasCountedAtTheStartIsStored() {
    var (lost, kept) = (MinuteRecord(minute: 1_440, state: "working"), MinuteRecord(minute: 1_439, state: "working"))
    (lost.registered, kept.registered) = (280, 20)
    let history = History(kept: [kept, lost], unsaved: [lost.minute], newestOutcome: 300)
    var stored: [MinuteRecord] = []
    history.save { minutes, newest in if newest == 300 { stored = minutes } }
    #expect(stored == [lost])
    history.look(sample(state: .idle, newest: 300), now: time(70))
    history.save(isLast: true) { minutes, _ in stored += minutes }
    #expect(stored.map(\.registered) == [280, 0])
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
    first.look(sample(registered: [5, 6, 7]), now: time(10))
    let second = History(kept: first.minutes())
    second.look(sample(registered: [30]), now: time(40))
    #expect(second.minutes().map(\.registered) == [4])
  }

  @Test func onlyADayIsKeptWhateverTheClockDoes() {
    let history = History()
    for minute in 0..<2_000 { history.look(sample(), now: time(Double(minute) * 60)) }
    #expect(history.minutes().count == 1_440)
    history.look(sample(), now: time(600))
    #expect(history.minutes().last?.at == time(600))
  }

  @Test func nothingIsStoredTwiceAndAMachineAtRestIsLeftToSleep() {
    let history = History()
    var stored: [[Int64]] = []
    func save(isLast: Bool = false) {
      history.save(isLast: isLast) { minutes, _ in stored.append(minutes.map(\.minute)) }
    }
    history.look(sample(registered: [0]), now: time(0))
    save()
    save()
    #expect(stored == [[1_440]])
    for minute in 1...9 { history.look(sample(registered: [0]), now: time(Double(minute) * 60)) }
    save()
    #expect(stored.count == 1)
    history.look(sample(registered: [0]), now: time(600))
    save()
    #expect(stored.last == Array(1_441...1_450))
    history.look(sample(registered: [0]), now: time(660))
    save(isLast: true)
    #expect(stored.last == [1_451])
  }

  @Test func whatCannotBeStoredIsStoredLater() {
    struct Full: Error {}
    let history = History()
    history.look(sample(registered: [0]), now: time(0))
    #expect(throws: Full.self) { try history.save { _, _ in throw Full() } }
    var stored = 0
    history.save { minutes, _ in stored += minutes.count }
    let count = stored
    #expect(count == 1)
  }
}
