import Foundation
import Registration
import Testing

@testable import RegistrationQueue

/// Time that has certainly passed, and the age of files by it.
@Suite struct SureClockTests {
  private let test = TestClock()

  private static let day = 86_400.0

  @Test func itReadsLikeTheWallClockWhileNobodySetsThat() {
    var clock = SureClock(test.read())
    for _ in 0..<100 {
      test.advance(seconds: 3_600)
      #expect(clock.advance(to: test.read()) == 0)
    }
    #expect(clock.now == test.wall)
  }

  @Test func aWallClockThatLeapsMakesNoTimePass() {
    var clock = SureClock(test.read())
    let begin = clock.now
    let file = test.wall
    for jump in [40 * Self.day, -80 * Self.day, 41 * Self.day] {
      test.set(by: jump)
      #expect(abs(clock.advance(to: test.read()) - Int64(jump * 1_000)) < 1_000)
      #expect(clock.now == begin && clock.age(of: file) == 0)
    }
    test.advance(seconds: 10)
    clock.advance(to: test.read())
    #expect(clock.now == begin.adding(seconds: 10))
  }

  @Test func aFileIsAsOldAsTheTimeSinceItWasWritten() {
    var clock = SureClock(test.read())
    var files: [(wall: Timestamp, at: Timestamp)] = []
    for jump in [0, 40 * Self.day, -40 * Self.day, -3 * Self.day, 3 * Self.day] {
      test.set(by: jump)
      clock.advance(to: test.read())
      test.advance(seconds: 600)
      clock.advance(to: test.read())
      files.append((test.wall, clock.now))
      test.advance(seconds: 600)
      clock.advance(to: test.read())
    }
    for file in files {
      let age = clock.now.milliseconds - file.at.milliseconds
      #expect(abs(clock.age(of: file.wall) - age) <= 10_000)
    }
  }

  /// No jump, boot or stop makes a file look older than it is.
  @Test(arguments: 0..<40) func noFileIsEverTakenForOlderThanItIs(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var clock = SureClock(test.read())
    var real = 0.0
    // After a boot with a wrong wall clock, at most a day passes that did not.
    var lies = 0.0
    var files: [(wall: Timestamp, real: Double, lies: Double)] = []
    for step in 0..<120 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0: test.set(by: Double.random(in: -50...50, using: &random) * Self.day)
      case 1:
        let off = Double.random(in: 0...3, using: &random) * Self.day + 10
        let forgets = Bool.random(using: &random)
        real += off
        lies += forgets ? Self.day : 0
        test.boot("boot \(step)", after: forgets ? Double.random(in: -400...400, using: &random) * Self.day : off)
      default:
        let time = Double.random(in: 1...7_200, using: &random)
        test.advance(seconds: time)
        real += time
      }
      clock.advance(to: test.read())
      files.append((test.wall, real, lies))
      clock = try JSONDecoder().decode(SureClock.self, from: JSONEncoder().encode(clock))
      for file in files {
        let most = real - file.real + lies - file.lies
        #expect(Double(clock.age(of: file.wall)) / 1_000 <= most + 10)
      }
    }
  }

  @Test func betweenTwoBootsADayPassesAtMost() {
    var clock = SureClock(test.read())
    let begin = clock.now
    test.boot("second", after: 400 * Self.day)
    clock.advance(to: test.read())
    #expect(clock.now == begin.adding(seconds: Self.day))
    test.boot("third", after: -400 * Self.day)
    clock.advance(to: test.read())
    // The new boot's own ten seconds.
    #expect(clock.now == begin.adding(seconds: Self.day + 10))
  }

  @Test func filesFromBeforeTheFirstReadingAreAsOldAsThat() {
    let old = test.wall.adding(seconds: -300 * Self.day)
    var clock = SureClock(test.read())
    #expect(clock.age(of: old) == 0)
    test.advance(seconds: 5 * Self.day)
    clock.advance(to: test.read())
    #expect(clock.age(of: old) == Int64(5 * Self.day * 1_000))
  }

  @Test func aStateThatNoClockHasIsNotRead() throws {
    let text = String(decoding: try JSONEncoder().encode(SureClock(test.read())), as: UTF8.self)
    #expect((try? JSONDecoder().decode(SureClock.self, from: Data(text.utf8))) != nil)
    for (old, new) in [
      ("\"sinceBoot\":", "\"sinceBoot\":99999999999999"), ("\"stretches\":[", "\"stretches\":[],\"x\":["),
    ] {
      let edited = text.replacingOccurrences(of: old, with: new)
      #expect(edited != text)
      #expect((try? JSONDecoder().decode(SureClock.self, from: Data(edited.utf8))) == nil)
    }
  }
}
