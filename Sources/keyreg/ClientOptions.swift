import ArgumentParser
import ControlAPI
import Foundation
import Registration
import RegistrationDaemon

/// Which organisation's daemon is meant, for every command.
struct InstanceOptions: ParsableArguments {
  @Option(help: "One of several organisations (or KEYREG_INSTANCE): its own configuration, spool, state and socket.")
  var instance: String?

  var environment: [String: String] { ProcessInfo.processInfo.environment }
}

/// Which socket a client command speaks to.
struct ClientOptions: ParsableArguments {
  @Option(help: "The control socket (or KEYREG_SOCKET).")
  var socket: String?

  @OptionGroup var instance: InstanceOptions

  /// For looking.
  func client() throws -> ControlClient {
    ControlClient(socket: try path())
  }

  /// For changing something: tells which daemon it will be, and refuses one of another instance than was asked for.
  func commander() throws -> ControlClient {
    let client = try client()
    let status = try client.status()
    let asked = try SettingsSource(instance: instance.instance, environment: instance.environment).instance
    // Whoever names a socket, and no instance, means whoever listens there.
    if status.instance != asked.name, asked != .main || !isSocketNamed {
      let daemon = status.instance.map { "the instance \($0)" } ?? "the main instance"
      throw Failure(
        .configuration, "\(client.socket) is the socket of \(daemon), not of \(asked)",
        hint: "look at --socket, KEYREG_SOCKET and control.socket; nothing was changed")
    }
    let daemon = status.instance.map { "instance \($0)" } ?? "main instance"
    StandardError.write("keyreg: \(PrintableText.escape("\(daemon), \(status.endpoint)", limit: 300))\n")
    return client
  }

  private var isSocketNamed: Bool {
    socket != nil || !(instance.environment["KEYREG_SOCKET"] ?? "").isEmpty
  }

  /// The flag, then the environment, then what the configuration says where it can be read, then the default.
  private func path() throws -> String {
    if let socket { return socket }
    let environment = instance.environment
    if let socket = environment["KEYREG_SOCKET"], !socket.isEmpty { return socket }
    let source = SettingsSource(instance: instance.instance, environment: environment)
    let instance = try source.instance
    let loaded: LoadedSettings
    do {
      loaded = try source.load()
    } catch {
      // The configuration is the daemon's: one that this user may not read, or that is broken, must not keep a client
      // from a running daemon.
      return Settings(instance: instance).socket
    }
    try loaded.refuseForeign([.socket], for: instance)
    return loaded.settings.socket
  }
}
