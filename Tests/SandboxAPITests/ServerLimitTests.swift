import Registration
import SandboxAPI
import Testing

@Suite struct ServerLimitTests {
  private static func limit(_ text: String, _ algorithm: ServerLimit.Algorithm) throws -> ServerLimit {
    ServerLimit(try Quota(parsing: text), algorithm: algorithm)
  }

  @Test func windowsBeginAtMultiplesOfThePeriodSinceTheEpoch() throws {
    var limit = try Self.limit("3/10s", .fixed)
    for remaining in [2, 1, 0] {
      let reading = limit.admit(at: at(9_000))
      #expect(reading.admitted)
      #expect(reading.remaining == remaining)
      #expect(reading.resetSeconds == 1)
    }
    #expect(!limit.admit(at: at(9_999)).admitted)
    let next = limit.admit(at: at(10_000))
    #expect(next.admitted)
    #expect(next.remaining == 2)
    #expect(next.resetSeconds == 10)
  }

  @Test(arguments: ServerLimit.Algorithm.allCases)
  func resetIsNeverZeroAndNeverAboveThePeriod(_ algorithm: ServerLimit.Algorithm) throws {
    var limit = try Self.limit("5/3s", algorithm)
    var time = Int64(0)
    var random = SplitMix64(seed: 7)
    for _ in 0..<5000 {
      time += Int64.random(in: 0...900, using: &random)
      let reading = limit.admit(at: at(time))
      #expect((1...3).contains(reading.resetSeconds))
      #expect((1...3).contains(reading.retrySeconds))
      #expect((0...5).contains(reading.remaining))
    }
  }

  @Test(arguments: ServerLimit.Algorithm.allCases)
  func aRefusedRequestCostsNothing(_ algorithm: ServerLimit.Algorithm) throws {
    var limit = try Self.limit("2/10s", algorithm)
    #expect(limit.admit(at: at(0)).admitted)
    #expect(limit.admit(at: at(0)).admitted)
    for _ in 0..<100 { #expect(!limit.admit(at: at(1)).admitted) }
    #expect(limit.admit(at: at(10_000)).admitted)
    #expect(limit.admit(at: at(10_000)).admitted)
  }

  @Test(arguments: ServerLimit.Algorithm.allCases)
  func theNextRequestIsAdmittedAfterTheRetryTime(_ algorithm: ServerLimit.Algorithm) throws {
    var limit = try Self.limit("4/60s", algorithm)
    var time = Int64(17)
    for _ in 0..<40 {
      var reading = limit.admit(at: at(time))
      while reading.admitted {
        time += 130
        reading = limit.admit(at: at(time))
      }
      time += Int64(reading.retrySeconds) * 1000
      #expect(limit.admit(at: at(time)).admitted)
    }
  }

  @Test func aSlidingLogAdmitsNoMoreThanTheCountInAnyStretchOfOnePeriod() throws {
    var limit = try Self.limit("20/2s", .sliding)
    var random = SplitMix64(seed: 3)
    var admitted: [Int64] = []
    var time = Int64(0)
    var refused = 0
    for _ in 0..<5000 {
      time += Int64.random(in: 0...120, using: &random)
      if limit.admit(at: at(time)).admitted { admitted.append(time) } else { refused += 1 }
    }
    #expect(refused > 100)
    for (index, start) in admitted.enumerated() where index + 20 < admitted.count {
      #expect(admitted[index + 20] - start >= 2000)
    }
    // None is refused needlessly: the log is full whenever it refuses, so the rate stays close to the limit.
    #expect(Double(admitted.count) > 0.9 * min(5000, Double(time) / 100))
  }

  @Test func aBucketIsFullAtFirstAndFillsEvenly() throws {
    var limit = try Self.limit("10/10s", .bucket)
    for _ in 0..<10 { #expect(limit.admit(at: at(0)).admitted) }
    let empty = limit.admit(at: at(999))
    #expect(!empty.admitted)
    #expect(empty.retrySeconds == 1)
    #expect(limit.admit(at: at(1000)).admitted)
    #expect(!limit.admit(at: at(1000)).admitted)
    let rested = limit.admit(at: at(6000))
    #expect(rested.remaining == 4)
    #expect(rested.resetSeconds == 6)
    #expect(limit.admit(at: at(3_600_000)).remaining == 9)
  }

  @Test func theLargestBucketKeepsItsCountExactly() throws {
    var limit = try Self.limit("1000000000/24h", .bucket)
    #expect(limit.admit(at: at(0)).remaining == 999_999_999)
    #expect(limit.admit(at: at(day)).remaining == 999_999_999)
  }

  @Test(arguments: ServerLimit.Algorithm.allCases)
  func timeThatGoesBackwardsGivesNothingBack(_ algorithm: ServerLimit.Algorithm) throws {
    var limit = try Self.limit("2/10s", algorithm)
    _ = limit.admit(at: at(15_000))
    _ = limit.admit(at: at(15_000))
    #expect(!limit.admit(at: at(4_000)).admitted)
    #expect(!limit.admit(at: at(15_000)).admitted)
  }
}
