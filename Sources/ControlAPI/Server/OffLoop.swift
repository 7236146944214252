import Dispatch

/// Work that takes some milliseconds of processor time: on a dispatch queue, one piece after the other, and never on
/// the event loop that serves all clients.
struct OffLoop: Sendable {
  private let queue: DispatchQueue

  init(label: String) {
    queue = DispatchQueue(label: label)
  }

  func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { @Sendable in continuation.resume(with: Result(catching: body)) }
    }
  }
}
