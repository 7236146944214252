package import Dispatch
package import HummingbirdCore
package import Logging
package import NIOCore
import NIOPosix
import Synchronization

/// An HTTP/1.1 server that synchronous code can start and stop.
///
/// This is Hummingbird's server without its application: the application sets `Date` from its own clock, which may be a
/// second late, and must run in a service group, which is for whole programs. All of it runs on one event loop.
package final class HTTPListener: Sendable {
  /// Answers one request. When it throws, the connection is closed. It runs on the event loop that also serves all
  /// other connections: it may suspend, but must not block.
  package typealias Respond = @Sendable (Request, consuming ResponseWriter, any Channel) async throws -> Void

  package struct Limits: Sendable {
    /// Maximum connections. When another comes, the one that has been without a request longest is closed.
    package var connections = 1024
    /// How long a connection may stay without a complete request.
    package var idle = TimeAmount.minutes(5)
    /// Maximum bytes of all header fields together, and of any one. More is malformed.
    package var headerBytes = 16 * 1024

    package init() {}
  }

  /// Before a request that was sent without waiting for the last answer. The event loop runs everything that is ready
  /// before it turns to the sockets again, so that a few such clients could keep it from all others.
  private static let pause = Duration.milliseconds(10)

  private enum Phase {
    case new
    case serving(Task<Void, Never>)
    case stopped
  }

  private let limits: Limits
  private let malformed: MalformedAnswer?
  private let logger: Logger
  private let respond: Respond
  private let connections: OpenConnections
  private let phase = Mutex(Phase.new)
  private let ended = DispatchSemaphore(value: 0)

  /// - Parameter malformed: The answer to a malformed request; without it, status 400 and nothing else.
  package init(
    limits: Limits = Limits(), malformed: MalformedAnswer? = nil, logger: Logger, respond: @escaping Respond
  ) {
    self.limits = limits
    self.malformed = malformed
    self.logger = logger
    let connections = OpenConnections(limit: limits.connections)
    self.connections = connections
    self.respond = { request, writer, channel in
      let hasWaited = connections.works(channel)
      defer { connections.rests(channel) }
      if !hasWaited { try await channel.eventLoop.sleep(for: Self.pause) }
      try await respond(request, writer, channel)
    }
  }

  deinit {
    if case .serving(let task) = phase.withLock({ $0 }) { task.cancel() }
    connections.close()
  }

  /// Returns the address once it is listening. Throws the error of binding. Call this once, from any thread except an
  /// event loop's.
  @discardableResult
  package func start(on address: BindAddress) throws -> SocketAddress? {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let started = loop.makePromise(of: SocketAddress?.self)
    let headerLimits = HTTP1Channel.Configuration.DecoderConfiguration(
      maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes, maxHeaderFieldCount: 100)
    let (connections, malformed) = (self.connections, self.malformed)
    let http = HTTP1Channel(
      responder: respond,
      configuration: HTTP1Channel.Configuration(
        additionalChannelHandlers: [connections.tracker()] + (malformed.map { [$0.handler()] } ?? []),
        idleTimeout: limits.idle, httpDecoderConfiguration: headerLimits))
    let server = AcceptedConnections(http: http).server(
      configuration: ServerConfiguration(address: address, backlog: 1_024),
      onServerRunning: { started.succeed($0.localAddress) }, eventLoopGroup: loop, logger: logger)
    let running = Task(executorPreference: LoopExecutor(loop)) { [ended] in
      do {
        try await server.run()
        // Has no effect once it is running; before that, it was stopped.
        started.fail(CancellationError())
      } catch {
        started.fail(error)
      }
      ended.signal()
    }
    phase.withLock { $0 = .serving(running) }
    return try started.futureResult.wait()
  }

  /// Ends all connections and returns once nothing listens any more, at most after `patience`.
  package func stop(patience: DispatchTimeInterval = .seconds(5)) {
    let former = phase.withLock { phase in
      defer { phase = .stopped }
      return phase
    }
    guard case .serving(let running) = former else { return }
    running.cancel()
    connections.close()
    if ended.wait(timeout: .now() + patience) == .timedOut {
      logger.warning("a request was still being answered when the server was stopped")
    }
  }
}
