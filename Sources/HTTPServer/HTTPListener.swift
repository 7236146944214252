package import Dispatch
import Hummingbird
package import HummingbirdCore
package import Logging
package import NIOCore
import Synchronization

/// An HTTP/1.1 server that synchronous code can start and stop.
///
/// It is Hummingbird's server without its application: the application sets `Date` from a clock of its own that may be a
/// second late, and wants to live in a service group, which is for whole programs. All of it runs on one event loop.
package final class HTTPListener: Sendable {
  /// Answers one request. When it throws, the connection is closed. It runs on the event loop that serves every other
  /// connection too: it may suspend, it must not block.
  package typealias Respond = @Sendable (Request, consuming ResponseWriter, any Channel) async throws -> Void

  package struct Limits: Sendable {
    /// Connections at one time. When another comes, the one that has been without a request longest is ended.
    package var connections = 1024
    /// Until a connection is closed that has no request on it, or only a part of one.
    package var idle = TimeAmount.minutes(5)
    /// Bytes of all header fields together, and of any one. More is answered with 400.
    package var headerBytes = 16 * 1024

    package init() {}
  }

  private let limits: Limits
  private let logger: Logger
  private let respond: Respond
  private let connections: OpenConnections
  private let task = Mutex<Task<Void, Never>?>(nil)
  private let ended = DispatchSemaphore(value: 0)

  package init(limits: Limits = Limits(), logger: Logger, respond: @escaping Respond) {
    self.limits = limits
    self.logger = logger
    let connections = OpenConnections(limit: limits.connections)
    self.connections = connections
    self.respond = { request, writer, channel in
      connections.works(channel)
      defer { connections.rests(channel) }
      try await respond(request, writer, channel)
    }
  }

  deinit {
    task.withLock { $0?.cancel() }
    connections.close()
  }

  /// Returns the address once it is listening. Throws what binding threw. To be called once, from any thread but an
  /// event loop's.
  @discardableResult
  package func start(on address: BindAddress) throws -> SocketAddress? {
    let loop = EventLoopGroupProvider.singleton.eventLoopGroup.next()
    let started = loop.makePromise(of: SocketAddress?.self)
    let headerLimits = HTTP1Channel.Configuration.DecoderConfiguration(
      maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes, maxHeaderFieldCount: 100)
    let connections = self.connections
    let server = try HTTPServerBuilder.http1(
      configuration: .init(
        additionalChannelHandlers: [connections.tracker()], idleTimeout: limits.idle,
        httpDecoderConfiguration: headerLimits)
    ).buildServer(
      configuration: .init(address: address, backlog: 1_024),
      eventLoopGroup: loop, logger: logger, responder: respond,
      onServerRunning: { started.succeed($0.localAddress) })
    let running = Task(executorPreference: LoopExecutor(loop)) { [ended] in
      do {
        try await server.run()
        // Without effect once it was running; before, it was stopped.
        started.fail(CancellationError())
      } catch {
        started.fail(error)
      }
      ended.signal()
    }
    task.withLock { $0 = running }
    return try started.futureResult.wait()
  }

  /// Ends all connections and returns once nothing listens any more, at the latest after `patience`.
  package func stop(patience: DispatchTimeInterval = .seconds(5)) {
    guard let running = task.withLock({ $0.take() }) else { return }
    running.cancel()
    connections.close()
    if ended.wait(timeout: .now() + patience) == .timedOut {
      logger.warning("a request was still being answered when the server was stopped")
    }
  }
}
