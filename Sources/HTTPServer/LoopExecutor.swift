package import NIOCore

/// Runs a task's work on an event loop's own thread.
///
/// Swift's shared pool has as many threads as the machine has cores. Callers here block while a server starts and
/// stops, some of them on that pool; a server that never needs the pool cannot be starved by them.
final class LoopExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(_ loop: any EventLoop) {
    self.loop = loop
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

extension EventLoop {
  /// Waits without Swift's shared pool. Throws `CancellationError` as soon as the task is cancelled.
  package func sleep(for duration: Duration) async throws {
    let timer = scheduleTask(in: TimeAmount(duration)) {}
    try await withTaskCancellationHandler {
      do {
        try await timer.futureResult.get()
      } catch is EventLoopError {
        throw CancellationError()
      }
    } onCancel: {
      timer.cancel()
    }
  }
}
