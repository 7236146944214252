import NIOCore
import Synchronization

/// Every connection of one listener, so that stopping can end those that wait for a client, and so that clients that
/// are idle or stuck never keep out an active one.
final class OpenConnections: Sendable {
  private struct Connection {
    let channel: any Channel
    var use = Use.idle
    /// Something was read since the last request.
    var hasRead = false
    /// Rises with every change of a connection: of those with the same use, the lowest is the oldest.
    var since: Int
  }

  private enum Use {
    case idle
    /// A request is being answered, which takes milliseconds unless the client neither sends nor reads.
    case answering
    /// A stream or an upload.
    case lasting
  }

  /// What a responder triggers on its channel.
  fileprivate struct Lasts: Sendable {}

  private struct State {
    var connections: [ObjectIdentifier: Connection] = [:]
    var clock = 0
    var isClosed = false
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: Maximum connections. Beyond it the one that has been idle longest is closed. If few are idle
  ///   (an eighth of all: those whose request is on its way are among them), it is the one that has been answered
  ///   longest, since it waits for its client; or the newest if all are lasting.
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

  /// A request of this connection is being answered until `rests`. False when it had come before the last one was
  /// answered: its client does not wait for answers.
  func works(_ channel: any Channel) -> Bool {
    set(.answering, channel)
    return state.withLock { state in
      defer { state.connections[ObjectIdentifier(channel)]?.hasRead = false }
      return state.connections[ObjectIdentifier(channel)]?.hasRead ?? true
    }
  }

  func rests(_ channel: any Channel) {
    set(.idle, channel)
  }

  private func hasRead(_ channel: any Channel) {
    state.withLock { $0.connections[ObjectIdentifier(channel)]?.hasRead = true }
  }

  private func set(_ use: Use, _ channel: any Channel) {
    state.withLock { state in
      state.clock += 1
      state.connections[ObjectIdentifier(channel)]?.use = use
      state.connections[ObjectIdentifier(channel)]?.since = state.clock
    }
  }

  /// A handler for the pipeline of one connection.
  func tracker() -> Tracker { Tracker(self) }

  private func add(_ channel: any Channel) {
    let superfluous: (any Channel)? = state.withLock { state in
      state.clock += 1
      let added = Connection(channel: channel, since: state.clock)
      state.connections[ObjectIdentifier(channel)] = added
      if state.isClosed { return channel }
      guard state.connections.count > limit else { return nil }
      let others = state.connections.values.lazy.filter { $0.since != added.since }
      let idle = others.filter { $0.use == .idle }
      let oldest = { (use: Use) in others.filter { $0.use == use }.min { $0.since < $1.since } }
      let stuck = idle.count > limit / 8 ? nil : oldest(.answering)
      let ended = (stuck ?? oldest(.idle) ?? added).channel
      // At once, so that it is not chosen again before it is closed.
      state.connections[ObjectIdentifier(ended)] = nil
      return ended
    }
    channel.closeFuture.whenComplete { _ in
      self.state.withLock { $0.connections[ObjectIdentifier(channel)] = nil }
    }
    superfluous?.close(promise: nil)
  }

  final class Tracker: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    typealias OutboundIn = NIOAny

    private let connections: OpenConnections

    fileprivate init(_ connections: OpenConnections) {
      self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) {
      connections.add(context.channel)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
      connections.hasRead(context.channel)
      context.fireChannelReadComplete()
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
      guard event is Lasts else { return context.triggerUserOutboundEvent(event, promise: promise) }
      connections.set(.lasting, context.channel)
      promise?.succeed()
    }
  }
}

extension Channel {
  /// The exchange in progress on this connection of a listener may last long: it is not ended to make room for others.
  /// The caller ensures that there are few.
  package func lasts() {
    triggerUserOutboundEvent(OpenConnections.Lasts(), promise: nil)
  }
}
