import Glibc
import HTTPServer
import HummingbirdCore
package import Logging
import NIOCore
import Registration
import Synchronization

/// Serves the control interface: everything on a Unix socket and, if configured, the read-only part on a loopback port.
package final class ControlServer: Sendable {
  package struct Configuration: Sendable {
    /// At most 107 bytes.
    package var socketPath: String
    package var socketMode: UInt32 = 0o660
    /// A folder whose `flock(2)` the process holds: the socket may lie in it.
    package var lockedFolder: String?
    package var listen: LoopbackAddress?
    /// The largest submitted list, in bytes. Evaluated for each list.
    package var listLimit: @Sendable () -> Int = { 1 << 30 }
    /// Maximum number of clients, counted separately for the socket and the port. A new one displaces the client that has
    /// been idle longest or, if few are idle, the one that has gone longest without reading its answer.
    package var connections = 512
    /// Maximum number of streams and uploads, counted separately for the socket and the port. Less than `connections`, so
    /// that they leave room for short answers.
    package var longExchanges = 128
    /// How long a client may take to send a complete request.
    package var idle = Duration.seconds(30)
    /// Between comments on a silent event stream.
    package var keepAlive = Duration.seconds(15)

    package init(socketPath: String, lockedFolder: String? = nil) {
      self.socketPath = socketPath
      self.lockedFolder = lockedFolder
    }
  }

  /// How many commands with bodies of up to 4 MiB may run at once.
  private static let largeBodies = 16

  private let place: SocketPlace
  private let listen: LoopbackAddress?
  private let socketListener: @Sendable () -> HTTPListener
  /// Nil once the server was stopped.
  private let onSocket: Mutex<HTTPListener?>
  private let onPort: HTTPListener
  private let logger: Logger

  /// Throws `ControlServerError` for a path that cannot name a socket.
  package init(_ configuration: Configuration, backend: any ControlBackend, logger: Logger) throws {
    place = try SocketPlace(
      path: configuration.socketPath, mode: configuration.socketMode,
      lockedFolder: configuration.lockedFolder)
    listen = configuration.listen
    self.logger = logger
    var limits = HTTPListener.Limits()
    limits.connections = configuration.connections
    limits.idle = TimeAmount(configuration.idle)
    // Hummingbird logs at `info` what the daemon logs itself, and at `error` that a stop has ended its connections.
    var quiet = logger
    quiet.logLevel = .critical
    let malformed = try ControlReply.malformed(headerBytes: limits.headerBytes)
    let largeBodies = LongExchanges(limit: Self.largeBodies, of: "large requests")
    let documents = OffLoop(label: "keyreg.control.documents")
    let pages = OffLoop(label: "keyreg.control.pages")
    // Clients of the port must not use up the socket's connections, so each has its own limit.
    let responder = { (loopback: LoopbackGuard?) in
      ControlResponder(
        backend: backend, logger: logger, listLimit: configuration.listLimit, keepAlive: configuration.keepAlive,
        guardTCP: loopback, longExchanges: LongExchanges(limit: configuration.longExchanges), largeBodies: largeBodies,
        documents: documents, pages: pages)
    }
    let all = responder(nil)
    let socketListener = { @Sendable [limits, quiet] in
      HTTPListener(limits: limits, malformed: malformed, logger: quiet) { request, writer, channel in
        try await all.respond(request, writer, channel)
      }
    }
    self.socketListener = socketListener
    onSocket = Mutex(socketListener())
    let reading = responder(LoopbackGuard(host: configuration.listen?.host ?? ""))
    onPort = HTTPListener(limits: limits, malformed: malformed, logger: quiet) { request, writer, channel in
      try await reading.respond(request, writer, channel)
    }
  }

  /// Listens, and returns the TCP port if there is one. Call this once, from any synchronous code.
  ///
  /// Throws `ControlServerError` when another process listens on the socket, or when either address cannot be used.
  /// Then nothing listens.
  @discardableResult
  package func start() throws -> Int? {
    do {
      try onSocket.withLock { if let listener = $0 { try listenOnSocket(listener) } }
      guard let listen else { return nil }
      return try listenOnPort(listen)
    } catch {
      stop()
      throw error
    }
  }

  /// Listens again if the socket is no longer in its folder: without a name nobody can reach it. Clients that are
  /// connected may lose their connection. Returns whether it was needed.
  ///
  /// Throws `ControlServerError` as `start` does, e.g. when another process listens there; then the next call tries again.
  package func replaceLostSocket() throws -> Bool {
    try onSocket.withLock { current in
      guard let former = current, place.isLost else { return false }
      let listener = socketListener()
      try listenOnSocket(listener)
      current = listener
      former.stop()
      return true
    }
  }

  /// Ends every connection, including idle ones and event streams, and removes the socket. Returns within 11 s.
  package func stop() {
    // The name first, so that a new client finds nothing there instead of getting no answer.
    do { try place.vacate() } catch {
      logger.warning("the control socket could not be removed", metadata: ["error": "\(error)"])
    }
    onSocket.withLock { $0.take() }?.stop()
    onPort.stop()
  }

  private func listenOnSocket(_ listener: HTTPListener) throws {
    try place.occupy { path in
      do {
        try listener.start(on: .unixDomainSocket(path: path))
      } catch let error as IOError {
        throw ControlServerError.refused(place.path, error)
      }
    }
  }

  private func listenOnPort(_ address: LoopbackAddress) throws -> Int {
    do {
      return try onPort.start(on: .hostname(address.host, port: address.port))?.port ?? address.port
    } catch let error as IOError {
      throw ControlServerError.refused("\(address)", error, hint: "choose another port for control.listen")
    }
  }
}

extension ControlServerError {
  fileprivate static func refused(_ address: String, _ error: IOError, hint: String? = nil) -> ControlServerError {
    let hint = [EMFILE, ENFILE].contains(error.errnoCode) ? "raise the limit of open files" : hint
    return ControlServerError(
      "cannot listen on \(address): \(SystemFault(code: error.errnoCode).text)", hint: hint,
      isInUse: error.errnoCode == EADDRINUSE, isDenied: [EACCES, EPERM].contains(error.errnoCode))
  }
}
