import Dispatch

/// Waiting for what may never end: a failing disk, a hanging file system.
enum BoundedWait {
  /// Runs `body` on a dispatch queue of its own and waits at most `seconds` for it. False when it is still running.
  @discardableResult
  static func run(within seconds: Double, _ body: @escaping @Sendable () -> Void) -> Bool {
    let done = DispatchSemaphore(value: 0)
    DispatchQueue(label: "keyreg.bounded-wait").async { @Sendable in
      body()
      done.signal()
    }
    return done.wait(timeout: .now() + max(0, seconds)) == .success
  }
}
