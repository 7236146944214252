import Testing

@testable import RateLimit

struct ConcurrencyTests {
  @Test func itBeginsWithOneAndGrowsWithEachSuccessToTheNumberOfWorkers() {
    var concurrency = Concurrency(workers: 3)
    var limits = [concurrency.limit]
    for _ in 0..<4 {
      concurrency.grow()
      limits.append(concurrency.limit)
    }
    #expect(limits == [1, 2, 3, 3, 3])
  }

  @Test func aCeilingHoldsGrowthBackAndTakesNothingAway() {
    var concurrency = Concurrency(workers: 16)
    for _ in 0..<9 { concurrency.grow(ceiling: 4) }
    #expect(concurrency.limit == 4)
    concurrency.open(to: 40)
    #expect(concurrency.limit == 16)
    concurrency.open(to: 2)
    #expect(concurrency.limit == 16)
  }

  @Test func failuresOfOneRoundTripAreOneEventAndAtLeastOneRequestStaysAllowed() {
    var concurrency = Concurrency(workers: 16)
    concurrency.open(to: 16)
    let events = [10, 10.1, 10.4, 10.6].map { concurrency.halve(now: $0, roundTrip: 0.5) }
    #expect(events == [true, false, false, true])
    #expect(concurrency.limit == 4)
    for now in 11...20 { concurrency.halve(now: Double(now), roundTrip: 0.5) }
    #expect(concurrency.limit == 1)
  }

  @Test func fewerWorkersCountAtOnce() {
    var concurrency = Concurrency(workers: 16)
    concurrency.open(to: 16)
    concurrency.workers = 2
    #expect(concurrency.limit == 2)
  }
}
