import Testing

@testable import RegistrationDaemon

/// How large the transactions of an import are.
@Suite struct BatchSizeTests {
  @Test func theFirstIsSmallSoThatWorkBeginsAtOnce() {
    #expect(BatchSize().entries == 2_000)
  }

  @Test func shortTransactionsGrowToABound() {
    var size = BatchSize()
    for _ in 0..<20 { size.adjust(after: .milliseconds(10), isAwaited: true) }
    #expect(size.entries == 128_000)
  }

  @Test func longOnesShrinkButNotBelowTheFirst() {
    var size = BatchSize()
    for _ in 0..<3 { size.adjust(after: .milliseconds(10), isAwaited: false) }
    size.adjust(after: .milliseconds(500), isAwaited: true)
    #expect(size.entries == 8_000)
    for _ in 0..<20 { size.adjust(after: .seconds(1), isAwaited: true) }
    #expect(size.entries == 2_000)
  }

  @Test func whatTakesNeitherLongNorShortStays() {
    var size = BatchSize()
    size.adjust(after: .milliseconds(150), isAwaited: true)
    size.adjust(after: .milliseconds(500), isAwaited: false)
    #expect(size.entries == 2_000)
  }

  @Test func whileNobodyWaitsTheyMayTakeASecond() {
    var size = BatchSize()
    for _ in 0..<20 { size.adjust(after: .milliseconds(300), isAwaited: false) }
    #expect(size.entries == 128_000)
    size.adjust(after: .seconds(2), isAwaited: false)
    #expect(size.entries == 64_000)
    // The first who waits does so once.
    size.adjust(after: .seconds(1), isAwaited: true)
    #expect(size.entries == 16_000)
  }
}
