import Dispatch
import Glibc
import Synchronization

/// Signals that this process handles, each on a dispatch queue of its own, for as long as this value lives.
///
/// Dispatch installs its handler some time after a source is activated, so `init` waits for it: a later signal is never
/// lost, and an earlier one has its default action. Ignoring the signals meanwhile would lose one.
package final class SignalHandlers: Sendable {
  // Each source is created once and cancelled once. Sources are not Sendable, hence the lock.
  private let sources: Mutex<[any DispatchSourceSignal]>

  /// Returns when every handler is in place.
  package init(_ handlers: [Int32: @Sendable () -> Void]) {
    let ready = DispatchGroup()
    sources = Mutex(handlers.map { number, act in Self.source(of: number, ready: ready, act) })
    ready.wait()
  }

  /// Keeps a signal pending until its handler is installed. Call this before other threads are started: they inherit
  /// it.
  package static func hold(_ number: Int32) {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, number)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  private static func source(
    of number: Int32, ready: DispatchGroup, _ act: @escaping @Sendable () -> Void
  ) -> sending any DispatchSourceSignal {
    let queue = DispatchQueue(label: "keyreg.signal.\(number)")
    let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
    ready.enter()
    source.setRegistrationHandler { @Sendable in ready.leave() }
    source.setEventHandler { @Sendable in act() }
    source.activate()
    return source
  }

  deinit {
    sources.withLock { for source in $0 { source.cancel() } }
  }
}
