import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// HTTP/1.1 connections, some of which are dropped before anybody handles them: those that clients open while the server
/// is being stopped.
///
/// NIO ends the process when a connection is dropped that was not closed in the way that it wants.
struct AcceptedConnections: ServerChildChannel {
  let http: HTTP1Channel

  final class Value: ServerChildChannelValue {
    private let connection: HTTP1Channel.Value
    private let isTaken = Atomic(false)

    init(_ connection: HTTP1Channel.Value) {
      self.connection = connection
    }

    deinit {
      if isTaken.load(ordering: .relaxed) { return }
      Task { [connection] in
        // Fails if the client has closed it already.
        try? await connection.executeThenClose { _, _ in }
      }
    }

    var channel: any Channel { connection.channel }

    /// The connection, which the caller handles to its end.
    fileprivate func take() -> HTTP1Channel.Value {
      isTaken.store(true, ordering: .relaxed)
      return connection
    }
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    http.setup(channel: channel, logger: logger).map(Value.init)
  }

  func handle(value: Value, logger: Logger) async {
    await http.handle(value: value.take(), logger: logger)
  }
}
