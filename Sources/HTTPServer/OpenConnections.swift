import NIOCore
import Synchronization

/// Every connection of one listener, so that stopping can end those that wait for a client, and so that clients who are
/// connected and ask nothing never keep out one who does.
final class OpenConnections: Sendable {
  private struct Connection {
    let channel: any Channel
    /// Requests that are being answered: one, or none.
    var isBusy = false
    /// Rises with every connection that comes and every answer that ends: the lowest has rested longest.
    var restsSince: Int
  }

  private struct State {
    var connections: [ObjectIdentifier: Connection] = [:]
    var clock = 0
    var isClosed = false
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: Connections at one time. Beyond it the one that has rested longest is ended, or the newest when
  ///   all of them are busy.
  init(limit: Int) {
    self.limit = limit
  }

  /// Ends all connections, and every one that comes later.
  func close() {
    let connections = state.withLock { state in
      state.isClosed = true
      return Array(state.connections.values)
    }
    for connection in connections { connection.channel.close(promise: nil) }
  }

  /// A request of this connection is being answered until `rests`.
  func works(_ channel: any Channel) {
    state.withLock { $0.connections[ObjectIdentifier(channel)]?.isBusy = true }
  }

  func rests(_ channel: any Channel) {
    state.withLock { state in
      state.clock += 1
      state.connections[ObjectIdentifier(channel)]?.isBusy = false
      state.connections[ObjectIdentifier(channel)]?.restsSince = state.clock
    }
  }

  /// A handler for the pipeline of one connection.
  func tracker() -> Tracker { Tracker(self) }

  private func add(_ channel: any Channel) {
    let superfluous: (any Channel)? = state.withLock { state in
      state.clock += 1
      state.connections[ObjectIdentifier(channel)] = Connection(channel: channel, restsSince: state.clock)
      if state.isClosed { return channel }
      guard state.connections.count > limit else { return nil }
      let idle = state.connections.values.lazy.filter { !$0.isBusy }.min { $0.restsSince < $1.restsSince }
      let ended = idle?.channel ?? channel
      // At once, so that it is not chosen again before it is closed.
      state.connections[ObjectIdentifier(ended)] = nil
      return ended
    }
    channel.closeFuture.whenComplete { _ in
      self.state.withLock { $0.connections[ObjectIdentifier(channel)] = nil }
    }
    superfluous?.close(promise: nil)
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
