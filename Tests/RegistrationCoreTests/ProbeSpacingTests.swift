import Testing

@testable import RegistrationCore

struct ProbeSpacingTests {
  @Test(arguments: [
    (ProbeSpacing.credentials, [5.0, 10, 20, 20]), (.refused, [30.0, 60, 120, 240, 300, 300]),
    (.outage(age: 0), [0.5, 1, 2, 4, 7.5, 7.5]), (.outage(age: 600), [0.5, 1, 2, 4, 7.5, 7.5]),
    (.outage(age: 1_000), [0.5, 1, 2, 4, 8, 16, 32, 50, 50]),
    (.outage(age: 0, isForbidden: true), [0.5, 1, 2, 4, 8, 16, 32, 60, 60]),
    (.outage(age: 1_000, isForbidden: true), [0.5, 1, 2, 4, 8, 16, 32, 60, 60]),
    (.outage(age: 86_400, isForbidden: true), [0.5, 1, 2, 4, 8, 16, 32, 64, 120, 120]),
    (.outage(age: 86_400), [0.5, 1, 2, 4, 8, 16, 32, 64, 120, 120]),
  ])
  func eachWaitIsTwiceTheLastUpToALimit(spacing: ProbeSpacing, waits: [Double]) {
    #expect(waits.indices.map { spacing.delay(after: $0) } == waits)
  }

  @Test func noNumberOfProbesIsTooLarge() {
    #expect(ProbeSpacing.refused.delay(after: .max) == 300 && ProbeSpacing.refused.delay(after: -1) == 30)
  }
}
