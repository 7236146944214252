import ArgumentParser
import ControlAPI
import Foundation
import Registration
import RegistrationDaemon

/// The organisation whose daemon is meant, for every command.
struct InstanceOptions: ParsableArguments {
  @Option(help: "The instance to use, which has its own configuration, spool, state and socket (or KEYREG_INSTANCE).")
  var instance: String?

  var environment: [String: String] { ProcessInfo.processInfo.environment }
}

/// The socket that a client command uses.
struct ClientOptions: ParsableArguments {
  @Option(help: "The control socket (or KEYREG_SOCKET).")
  var socket: String?

  @OptionGroup var instance: InstanceOptions

  /// For reading. Like `commander`, refuses the daemon of another instance than requested.
  func client() throws -> ControlClient {
    let client = ControlClient(socket: try path())
    let asked = try asked
    if !asked.isAny { try DaemonName(client.status()).check(at: client.socket, for: asked) }
    return client
  }

  /// For changing something: says which daemon it is, too.
  func commander() throws -> ControlClient {
    let client = ControlClient(socket: try path())
    let daemon = DaemonName(try client.status())
    try daemon.check(at: client.socket, for: asked)
    daemon.announce()
    return client
  }

  private var asked: AskedDaemon {
    get throws {
      AskedDaemon(
        instance: try SettingsSource(instance: instance.instance, environment: instance.environment).instance,
        isSocketNamed: socket != nil || !(instance.environment["KEYREG_SOCKET"] ?? "").isEmpty)
    }
  }

  /// The flag, then the environment, then the configuration, then the default.
  private func path() throws -> String {
    if let socket { return socket }
    let environment = instance.environment
    if let socket = environment["KEYREG_SOCKET"], !socket.isEmpty { return socket }
    return try ClientSocket.path(
      SettingsSource(instance: instance.instance, environment: environment), isAnswering: ControlClient.isAnswering)
  }
}

extension ControlClient {
  /// Whether something listens on `socket`, even if it does not answer or this user may not use it.
  static func isAnswering(_ socket: String) -> Bool {
    do {
      _ = try ControlClient(socket: socket, timeout: .seconds(2)).health()
      return true
    } catch ControlClientError.notRunning {
      return false
    } catch {
      return true
    }
  }
}
