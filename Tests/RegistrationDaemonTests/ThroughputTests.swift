import RegistrationDaemon
import Testing

struct ThroughputTests {
  @Test func timeInWhichNoWorkWasPossibleDoesNotCount() {
    var throughput = Throughput()
    // 10 s of work at 4 a second, then 40 s of nothing to do.
    throughput.worked(from: 100, to: 110)
    for second in 100..<110 { throughput.settled(4, now: Double(second) + 0.5) }
    #expect(throughput.perSecond(now: 150) == 4)
    // Waiting for the limit does count.
    throughput.worked(from: 110, to: 140)
    #expect(throughput.perSecond(now: 150) == 1)
  }

  @Test func onlyTheLastMinuteCounts() {
    var throughput = Throughput()
    throughput.worked(from: 0, to: 1_000)
    for second in 0..<900 { throughput.settled(10, now: Double(second)) }
    for second in 900..<1_000 { throughput.settled(1, now: Double(second)) }
    #expect(throughput.perSecond(now: 999.9) == 1)
    #expect(throughput.perSecond(now: 2_000) == 0)
  }

  @Test func aMomentOfWorkIsNoHighRate() {
    var throughput = Throughput()
    throughput.worked(from: 5, to: 5.01)
    throughput.settled(3, now: 5.01)
    #expect(throughput.perSecond(now: 5.01) == 3)
  }
}
