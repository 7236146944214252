import Glibc
import Systemd
import Testing

struct WatchdogIntervalTests {
  @Test func thePeriodIsHalfTheLimit() throws {
    let interval = try #require(WatchdogInterval(microseconds: "30000000", forProcess: nil))
    #expect(interval.limit == .seconds(30))
    #expect(interval.period == .seconds(15))
  }

  @Test func onlyTheNamedProcessIsWatched() {
    #expect(WatchdogInterval(microseconds: "1000", forProcess: "42", processID: 42) != nil)
    #expect(WatchdogInterval(microseconds: "1000", forProcess: "42", processID: 43) == nil)
    #expect(WatchdogInterval(microseconds: "1000", forProcess: "forty-two", processID: 42) == nil)
  }

  @Test(arguments: [nil, "", "0", "-5", "1.5", "30s", "18446744073709551615"])
  func whatIsNoIntervalIsNone(text: String?) {
    #expect(WatchdogInterval(microseconds: text, forProcess: nil) == nil)
  }

  @Test func takingTheEnvironmentUnsetsBothVariables() async {
    await #expect(processExitsWith: .success) {
      setenv("WATCHDOG_USEC", "2000000", 1)
      setenv("WATCHDOG_PID", "\(getpid())", 1)
      #expect(WatchdogInterval.takingEnvironment()?.limit == .seconds(2))
      #expect(getenv("WATCHDOG_USEC") == nil)
      #expect(getenv("WATCHDOG_PID") == nil)
      #expect(WatchdogInterval.takingEnvironment() == nil)
    }
  }
}
