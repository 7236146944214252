import Testing

@testable import RateLimit

struct RoundTripsTests {
  private func trips(_ durations: [Seconds]) -> RoundTrips {
    durations.reduce(into: RoundTrips()) { $0.note($1) }
  }

  @Test func nothingIsKnownOfALongOneBeforeEnoughWereMeasured() {
    #expect(trips(Array(repeating: 0.05, count: RoundTrips.sample - 1)).long == 0.5)
    #expect(trips(Array(repeating: 0.05, count: RoundTrips.sample)).long == 0.05)
  }

  @Test func theLongOneIsLongerThanAllButAFew() {
    let durations = (1...RoundTrips.sample).map { Double($0) / 100 }
    #expect(abs(trips(durations.reversed()).long - 0.39) < 1e-9)
  }

  @Test func theFirstMeasurementReplacesTheAssumedMeanAndTheOthersMoveIt() {
    #expect(trips([2]).mean == 2)
    let slower = trips([0.1] + Array(repeating: 1.1, count: 16)).mean
    #expect((0.6...0.9).contains(slower))
    #expect(abs(trips([0.1] + Array(repeating: 1.1, count: 200)).mean - 1.1) < 0.001)
  }

  @Test func aClockThatGoesBackMakesNoNegativeDuration() {
    #expect(trips([-5]).mean == 0)
  }
}
