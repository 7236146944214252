import Dispatch

/// Work that takes a processor some milliseconds: on a queue, never on the event loop that serves every other client.
enum OffLoop {
  /// Pages of streams, one after the other however many streams there are.
  static let streams = DispatchQueue(label: "keyreg.control.streams")
  /// Single answers and commands, which do not wait for streams.
  static let answers = DispatchQueue(label: "keyreg.control.answers")

  static func run<Value: Sendable>(
    on queue: DispatchQueue, _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { @Sendable in continuation.resume(with: Result(catching: body)) }
    }
  }
}
