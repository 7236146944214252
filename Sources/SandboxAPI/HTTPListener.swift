import Dispatch
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// An HTTP/1.1 server that synchronous code can start and stop.
///
/// It is Hummingbird's server without its application: the application sets `Date` from a clock of its own that may be a
/// second late, and wants to live in a service group, which is for whole programs. All of it runs on one event loop.
final class HTTPListener: Sendable {
  typealias Respond = @Sendable (Request, consuming ResponseWriter, any Channel) async throws -> Void

  private struct State {
    var task: Task<Void, Never>?
  }

  private let address: BindAddress
  private let idleTimeout: TimeAmount
  private let logger: Logger
  private let respond: Respond
  private let connections = OpenConnections()
  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)

  /// `respond` answers one request. When it throws, the connection is closed.
  init(_ address: BindAddress, idleTimeout: TimeAmount, logger: Logger, respond: @escaping Respond) {
    self.address = address
    self.idleTimeout = idleTimeout
    self.logger = logger
    self.respond = respond
  }

  /// Returns the address once it is listening. Throws what binding threw. To be called once.
  func start() throws -> SocketAddress? {
    let loop = EventLoopGroupProvider.singleton.eventLoopGroup.next()
    let started = loop.makePromise(of: SocketAddress?.self)
    let server = try HTTPServerBuilder.http1(
      configuration: .init(
        additionalChannelHandlers: [self.connections.tracker()], idleTimeout: idleTimeout)
    ).buildServer(
      configuration: .init(address: address), eventLoopGroup: loop, logger: logger, responder: respond,
      onServerRunning: { started.succeed($0.localAddress) })
    let task = Task(executorPreference: LoopExecutor(loop)) { [ended] in
      do {
        try await server.run()
        started.fail(CancellationError())
      } catch {
        started.fail(error)
      }
      ended.signal()
    }
    state.withLock { $0.task = task }
    return try started.futureResult.wait()
  }

  /// Ends all connections and returns once nothing listens any more, at the latest after `patience`.
  func stop(patience: DispatchTimeInterval = .seconds(5)) {
    guard let task = state.withLock({ $0.task.take() }) else { return }
    task.cancel()
    connections.close()
    if ended.wait(timeout: .now() + patience) == .timedOut {
      logger.warning("a request was still being answered when the server was stopped")
    }
  }
}
