import ControlAPI
import Registration
import RegistrationDaemon

/// Which daemon a command talks to: its instance and where it sends requests.
struct DaemonName {
  private let instance: String?
  private let endpoint: String

  init(_ status: StatusDocument) {
    instance = status.instance
    endpoint = status.endpoint
  }

  /// Says which daemon it is. Refuses one of another instance than requested.
  ///
  /// - Parameter isSocketNamed: The user named a socket. Without an instance, any daemon that listens there is meant.
  func announce(at socket: String, asked: Instance, isSocketNamed: Bool) throws {
    if instance != asked.name, asked != .main || !isSocketNamed {
      let daemon = instance.map { "the instance \($0)" } ?? "the main instance"
      throw Failure(
        .configuration, "\(socket) is the socket of \(daemon), not of \(asked)",
        hint: "check --socket, KEYREG_SOCKET and control.socket; nothing was changed")
    }
    let daemon = instance.map { "instance \($0)" } ?? "main instance"
    StandardError.write("keyreg: \(PrintableText.escape("\(daemon), \(endpoint)", limit: 300))\n")
  }
}
