// Replies that tell of a limit once, or now and then: what is not repeated must not stop the work.

import RateLimit
import Testing

@Suite struct RepetitionTests {
  private typealias Answer = OddServer.Answer

  /// What an odd reply says. The others say nothing, and there is no limit.
  private static let once: [(reading: RateLimitReading, within: Seconds)] = [
    (RateLimitReading(remaining: 1), 8),
    (RateLimitReading(remaining: 5), 8),
    (RateLimitReading(remaining: 40), 8),
    (RateLimitReading(name: "a", remaining: 1), 8),
    (RateLimitReading(limit: 50, remaining: 0), 8),
    // Two in five seconds are kept for six requests.
    (RateLimitReading(remaining: 1, reset: 5), 24),
    (RateLimitReading(limit: 50, period: 5, remaining: 1, reset: 3), 12),
  ]

  @Test(arguments: once.indices) func oneOddReplyIsForgotten(index: Int) {
    let odd = Self.once[index]
    let server = OddServer(workers: 4) { $0.number == 60 ? odd.reading : RateLimitReading() }
    let outcome = server.run()
    #expect(outcome.registered == 300 && outcome.seconds < odd.within, "\(outcome)")
  }

  @Test func aFewRepliesThatCountDownAreForgotten() {
    let server = OddServer(workers: 4) {
      (60...64).contains($0.number) ? RateLimitReading(remaining: 64 - $0.number) : RateLimitReading()
    }
    let outcome = server.run()
    #expect(outcome.registered == 300 && outcome.seconds < 8, "\(outcome)")
  }

  /// 30 s are possible.
  private func works(_ name: String, workers: Int = 8, _ wording: @escaping (Answer) -> RateLimitReading) {
    let outcome = OddServer(limit: 50, workers: workers, wording: wording).run()
    #expect(outcome.registered == 300 && outcome.seconds < 36, "\(name): \(outcome)")
    #expect(outcome.refused <= 30 && outcome.longestGap < 10, "\(name): \(outcome)")
  }

  @Test func aCountThatShowsOnlyWhenLittleIsLeftIsNoLimitOfItsOwn() {
    works("below 5") { $0.isRefused || $0.left >= 5 ? RateLimitReading() : RateLimitReading(remaining: $0.left) }
  }

  @Test(arguments: [1, 8]) func aCountOnRefusalsAloneIsNoLimitOfItsOwn(workers: Int) {
    works("429", workers: workers) {
      $0.isRefused ? RateLimitReading(limit: 50, remaining: 0) : RateLimitReading()
    }
  }

  @Test(arguments: [1, 8]) func aRetryAfterBesideACountSaysWhen(workers: Int) {
    works("429 with Retry-After", workers: workers) {
      $0.isRefused
        ? RateLimitReading(limit: 50, remaining: 0, retryAfter: $0.reset.rounded(.up)) : RateLimitReading()
    }
  }

  @Test(arguments: [2, 10, 50]) func aCountNowAndThenDoesNotStopTheWork(each: Int) {
    works("one in \(each)") {
      $0.isRefused || $0.number % each > 0 ? RateLimitReading() : RateLimitReading(remaining: $0.left)
    }
  }
}
