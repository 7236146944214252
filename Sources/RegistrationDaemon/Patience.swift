import Dispatch

/// Waiting for what may never end: a disk that fails, a file system that hangs.
enum Patience {
  /// Runs `body` on a queue of its own and waits for it, `seconds` at most. False when it goes on without us.
  @discardableResult
  static func run(within seconds: Double, _ body: @escaping @Sendable () -> Void) -> Bool {
    let done = DispatchSemaphore(value: 0)
    DispatchQueue(label: "keyreg.patience").async { @Sendable in
      body()
      done.signal()
    }
    return done.wait(timeout: .now() + max(0, seconds)) == .success
  }
}
