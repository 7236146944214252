import Testing

@testable import RateLimit

@Suite struct DroughtTests {
  private var drought = Drought()

  @Test mutating func whatAProbeShowedIsKept() {
    drought.note(12)
    drought.begin()
    #expect(drought.longest == 12)
  }

  @Test mutating func oneRetryAfterHoldsUntilTheQuotaIsUsedUpAgain() {
    drought.note(wait: 3_000, at: 5)
    #expect(drought.longest == 3_000)
    drought.begin()
    #expect(drought.longest == 0)
  }

  @Test mutating func twoThatNameTheSameEndAreKept() {
    drought.note(wait: 60, at: 5)
    drought.note(wait: 59, at: 6.5)
    drought.begin()
    #expect(drought.longest == 59)
  }
}
