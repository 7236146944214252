// What others take of the same budget, and what is left to them.

import Testing

@testable import RateLimit

@Suite struct NeighboursTests {
  private let allowance = Allowance(count: 600, period: 60)

  private func neighbours(_ taken: Double = 0, history: [Double] = []) -> Neighbours {
    Neighbours(taken: taken, of: 600, elapsed: 20, history: history, at: 20)
  }

  @Test func nobodyIsAboutWhileLessThanAHundredthIsTaken() {
    #expect(neighbours().isQuiet(allowance))
    #expect(neighbours(1).isQuiet(allowance))
    #expect(!neighbours(5).isQuiet(allowance))
    #expect(!neighbours(0, history: [0, 40, 0, 0]).isQuiet(allowance))
  }

  @Test func aSteadyStreamIsForecastWithinTwoDeviations() {
    // Two a second, 40 seconds to go.
    let forecast = neighbours(40).forecast(allowance, left: 40)
    #expect(abs(forecast - (80 + 2 * 80.0.squareRoot())) < 0.001)
  }

  @Test func mostOfAWindowTakenBeforeWeCameIsNoStream() {
    var neighbours = neighbours(450)
    #expect(neighbours.rate == 0 && neighbours.takenByPresent == 0 && !neighbours.isQuiet(allowance))
    neighbours.observe(taken: 470, most: 600, period: 60, now: 30)
    #expect(neighbours.rate > 0 && neighbours.takenByPresent == 20)
    neighbours.beginWindow(taken: 30, limit: 600, elapsed: 1, recording: false, now: 60)
    #expect(neighbours.takenByPresent == 30)
  }

  @Test func clumpsOfRecentWindowsAreForecastBeforeTheyCome() {
    // The mean is 50 and the worst 100: 50 + 0.7 × 50.
    let clumpy = neighbours(0, history: [0, 100, 0, 100])
    #expect(abs(clumpy.forecast(allowance, left: 40) - 85) < 0.001)
    // In the last quarter of the window they are less and less likely.
    #expect(abs(clumpy.forecast(allowance, left: 7.5) - 42.5) < 0.001)
  }

  @Test func aHundredthIsLeftToWhoeverComesUntilTheLastTenth() {
    #expect(neighbours().reserve(allowance, left: 40, roundTrip: 0.2) == 6)
    #expect(neighbours().reserve(allowance, left: 3, roundTrip: 0.2) == 3)
    #expect(neighbours().reserve(allowance, left: 0, roundTrip: 0.2) == 0)
  }

  @Test func neverIsMoreThanHalfOfAWindowYieldedToAForecast() {
    let greedy = neighbours(200)
    #expect(greedy.forecast(allowance, left: 40) > 400)
    #expect(greedy.reserve(allowance, left: 40, roundTrip: 0.001) == 100)
  }

  @Test func whatTheyTakeDuringARoundTripIsKeptToTheEnd() {
    // One a second: in one of our requests of a fifth of a second in four they take a token …
    #expect(neighbours(20).reserve(allowance, left: 0, roundTrip: 0.19) == 1)
    // … in each of two seconds up to three, and one more is kept.
    #expect(neighbours(20).reserve(allowance, left: 0, roundTrip: 2) == 4)
    // Where one request in twenty meets one of theirs, the last token is worth the risk.
    #expect(neighbours(20).reserve(allowance, left: 0, roundTrip: 0.02) == 0)
  }

  @Test func theirRateFollowsWhatIsSeen() {
    var neighbours = neighbours(40)
    for second in 21...50 { neighbours.observe(taken: 40, most: 599, period: 60, now: Double(second)) }
    #expect(neighbours.rate < 0.4)
    for second in 51...80 {
      neighbours.observe(taken: 40 + 5 * (second - 50), most: 599, period: 60, now: Double(second))
    }
    #expect((4...5).contains(neighbours.rate))
    #expect(neighbours.taken == 190)
  }

  @Test func nobodyCanHaveTakenMoreThanWeLeft() {
    var neighbours = neighbours(40)
    neighbours.observe(taken: 0, most: 30, period: 60, now: 31)
    #expect(neighbours.taken == 30)
  }

  @Test func theLastFourWholeWindowsAreRemembered() {
    var neighbours = neighbours()
    for window in 1...6 {
      neighbours.observe(taken: 10 * window, most: 599, period: 60, now: 60 * Double(window) + 30)
      neighbours.beginWindow(
        taken: 0, limit: 600, elapsed: 0.1, recording: window != 3, now: 60 * Double(window) + 60)
    }
    #expect(neighbours.history == [20, 40, 50, 60])
    #expect(neighbours.worst == 60)
    #expect(neighbours.expected == 42.5)
    #expect(abs(neighbours.demand(allowance, left: 40) - 63) < 0.001)
  }

  @Test func aForecastThatProvedTooLowIsStretchedForAWhile() {
    var neighbours = neighbours(40)
    let before = neighbours.forecast(allowance, left: 40)
    for _ in 0..<9 { neighbours.beCautious() }
    #expect(abs(neighbours.forecast(allowance, left: 40) - 4 * before) < 0.001)
    for window in 1...20 {
      neighbours.beginWindow(taken: 0, limit: 600, elapsed: 0.1, recording: true, now: 60 * Double(window))
    }
    #expect(abs(neighbours.forecast(allowance, left: 40) - before) < 0.001)
  }

  @Test func aCrowdIsSeenByHowFastAllTogetherAre() {
    var neighbours = neighbours(10)
    neighbours.observe(taken: 110, most: 599, period: 60, now: 25)
    // 100 of theirs and 20 of ours in 5 s, where 50 are even.
    #expect(abs(neighbours.pressure(own: 20, allowance: allowance, now: 25) - 2.4) < 0.001)
    #expect(abs(neighbours.share(own: 20) - 1.0 / 6) < 0.001)
  }
}
