import Dispatch
import Glibc
import Systemd
import Testing

/// Signals belong to the whole process: each is used by one test.
struct SignalHandlersTests {
  @Test func aSignalThatComesAtOnceIsNotLost() {
    var handlers: [SignalHandlers] = []
    for number in Int32(40)..<60 {
      let heard = DispatchSemaphore(value: 0)
      // Without an installed handler the signal would end the process.
      handlers.append(SignalHandlers([number: { @Sendable in heard.signal() }]))
      kill(getpid(), number)
      #expect(heard.wait(timeout: .now() + 10) == .success)
    }
    withExtendedLifetime(handlers) {}
  }

  @Test func eachSignalHasItsOwnHandler() {
    let first = DispatchSemaphore(value: 0)
    let second = DispatchSemaphore(value: 0)
    let handlers = SignalHandlers([
      SIGUSR1: { @Sendable in first.signal() }, SIGUSR2: { @Sendable in second.signal() },
    ])
    kill(getpid(), SIGUSR2)
    #expect(second.wait(timeout: .now() + 10) == .success)
    kill(getpid(), SIGUSR1)
    #expect(first.wait(timeout: .now() + 10) == .success)
    withExtendedLifetime(handlers) {}
  }
}
