import NIOCore
import Synchronization

/// Every connection of one listener, so that stopping can end those that wait for a client.
final class OpenConnections: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isClosed = false
  }

  private let state = Mutex(State())

  /// Ends all connections, and every one that comes later.
  func close() {
    let channels = state.withLock { state in
      state.isClosed = true
      return Array(state.channels.values)
    }
    for channel in channels { channel.close(promise: nil) }
  }

  /// A handler for the pipeline of one connection.
  func tracker() -> Tracker { Tracker(self) }

  private func add(_ channel: any Channel) {
    let isClosed = state.withLock { state in
      state.channels[ObjectIdentifier(channel)] = channel
      return state.isClosed
    }
    channel.closeFuture.whenComplete { _ in
      self.state.withLock { $0.channels[ObjectIdentifier(channel)] = nil }
    }
    if isClosed { channel.close(promise: nil) }
  }

  final class Tracker: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let connections: OpenConnections

    fileprivate init(_ connections: OpenConnections) {
      self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) {
      connections.add(context.channel)
    }
  }
}
