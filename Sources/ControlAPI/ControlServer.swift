package import Glibc
import HTTPServer
import HummingbirdCore
package import Logging
import NIOCore

/// Serves the control interface: everything on a Unix socket and, when asked to, the reading part on a loopback port.
package final class ControlServer: Sendable {
  package struct Configuration: Sendable {
    /// At most 107 bytes.
    package var socketPath: String
    package var socketMode: mode_t = 0o660
    package var listen: LoopbackAddress?
    /// Bytes of a list that is submitted; a larger one is refused. Asked for each.
    package var listLimit: @Sendable () -> Int = { 1 << 30 }
    /// Clients of the socket, and of the port, at one time. When another comes, the one that has been silent longest is
    /// let go.
    package var connections = 512
    /// Streams and uploads at one time; less than `connections`, so that they leave room for short answers.
    package var longExchanges = 128
    /// Until a client is let go that has sent no request, or a part of one.
    package var idle = Duration.seconds(30)
    /// Between comments on a silent event stream.
    package var keepAlive = Duration.seconds(15)

    package init(socketPath: String) {
      self.socketPath = socketPath
    }
  }

  private let place: SocketPlace
  private let listen: LoopbackAddress?
  private let onSocket: HTTPListener
  private let onPort: HTTPListener
  private let logger: Logger

  /// Throws `ControlServerError` for a path that cannot name a socket.
  package init(_ configuration: Configuration, backend: any ControlBackend, logger: Logger) throws {
    place = try SocketPlace(path: configuration.socketPath, mode: configuration.socketMode)
    listen = configuration.listen
    self.logger = logger
    var limits = HTTPListener.Limits()
    limits.connections = configuration.connections
    limits.idle = TimeAmount(configuration.idle)
    // Hummingbird says at `info` what the daemon says itself, and at `error` that a stop has ended its connections.
    var quiet = logger
    quiet.logLevel = .critical
    let longExchanges = LongExchanges(limit: configuration.longExchanges)
    let responder = { (loopback: LoopbackGuard?) in
      ControlResponder(
        backend: backend, logger: logger, listLimit: configuration.listLimit, keepAlive: configuration.keepAlive,
        guardTCP: loopback, longExchanges: longExchanges)
    }
    let all = responder(nil)
    onSocket = HTTPListener(limits: limits, logger: quiet) { request, writer, channel in
      try await all.respond(request, writer, channel)
    }
    let reading = responder(LoopbackGuard(host: configuration.listen?.host ?? ""))
    onPort = HTTPListener(limits: limits, logger: quiet) { request, writer, channel in
      try await reading.respond(request, writer, channel)
    }
  }

  /// Listens, and returns the TCP port if there is one. To be called once; may be called from any synchronous code.
  ///
  /// Throws `ControlServerError` when another process listens on the socket or when either place cannot be taken.
  /// Nothing listens then.
  @discardableResult
  package func start() throws -> Int? {
    do {
      try place.occupy { path in try onSocket.start(on: .unixDomainSocket(path: path)) }
      guard let listen else { return nil }
      return try listenOnPort(listen)
    } catch {
      stop()
      throw error
    }
  }

  /// Ends every connection, idle ones and event streams too, and removes the socket. Returns after 11 s at the latest.
  package func stop() {
    // First the name, so that a client that comes now hears that nobody is there, and not silence.
    do { try place.vacate() } catch {
      logger.warning("the control socket stays behind", metadata: ["error": "\(error)"])
    }
    onSocket.stop()
    onPort.stop()
  }

  private func listenOnPort(_ address: LoopbackAddress) throws -> Int {
    do {
      return try onPort.start(on: .hostname(address.host, port: address.port))?.port ?? address.port
    } catch let error as IOError {
      throw ControlServerError(
        "cannot listen on \(address): \(String(cString: strerror(error.errnoCode)))",
        hint: "choose another port for control.listen", isInUse: error.errnoCode == EADDRINUSE)
    }
  }
}
