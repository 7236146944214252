import ArgumentParser
import ControlAPI
import Foundation
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

  func client() throws -> ControlClient {
    ControlClient(socket: try path())
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
