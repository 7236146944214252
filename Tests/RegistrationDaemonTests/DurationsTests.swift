import RateLimit
import RegistrationDaemon
import Testing

struct DurationsTests {
  private func durations(_ seconds: [Seconds]) -> Durations {
    var durations = Durations()
    for duration in seconds { durations.record(duration) }
    return durations
  }

  @Test func nothingIsNothing() {
    let none = Durations()
    #expect(none.count == 0 && none.percentile(0.5) == 0 && none.longest == 0)
    #expect(none.counts(upTo: [0.1, 1]) == [0, 0, 0])
  }

  @Test func percentilesAreAtMostATenthTooLong() {
    for scale in [0.001, 0.01, 0.1, 1, 5] {
      let all = (1...1_000).map { Double($0) * scale }
      let durations = durations(all.shuffled())
      for share in [0.01, 0.5, 0.9, 0.99, 0.999, 1] {
        let truth = all[Int((share * 1_000).rounded()) - 1]
        let found = durations.percentile(share)
        #expect(found >= truth * 0.999_999 && found <= truth * 1.1 + 0.000_1, "\(share) of \(scale): \(found)")
      }
    }
  }

  @Test func theLongestIsExactAndNoPercentileIsBeyondIt() {
    let durations = durations([0.012_34, 0.123_4])
    #expect(durations.longest == 0.123_4 && durations.percentile(1) == 0.123_4)
  }

  @Test func boundsCutWhereTheySay() {
    let bounds = Statistics.bounds
    for (index, bound) in bounds.enumerated() {
      let around = durations([bound * 0.999_9, bound, bound * 1.000_1])
      #expect(around.counts(upTo: bounds)[index] == 2, "\(bound)")
      #expect(around.counts(upTo: bounds)[index + 1] == 1, "\(bound)")
    }
  }

  @Test func nothingFallsThroughTheTable() {
    let odd: [Seconds] = [-1, 0, 0.000_01, 0.004_999, 29.9, 30, 30.1, 1e6, .infinity]
    let durations = durations(odd)
    #expect(durations.count == odd.count)
    #expect(durations.counts(upTo: Statistics.bounds).reduce(0, +) == odd.count)
  }
}
