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

  /// Refuses one of another instance than requested.
  func check(at socket: String, for asked: AskedDaemon) throws {
    guard !asked.isAny, instance != asked.instance.name else { return }
    let daemon = instance.map { "the instance \($0)" } ?? "the main instance"
    throw Failure(
      .configuration, "\(socket) is the socket of \(daemon), not of \(asked.instance)",
      hint: "check --instance, KEYREG_INSTANCE, --socket, KEYREG_SOCKET and control.socket; nothing was done")
  }

  /// Says which daemon it is.
  func announce() {
    let daemon = instance.map { "instance \($0)" } ?? "main instance"
    StandardError.write("keyreg: \(PrintableText.escape("\(daemon), \(endpoint)", limit: 300))\n")
  }
}

/// The daemon that the user asked for.
struct AskedDaemon {
  let instance: Instance
  /// By a flag or the environment, not by the configuration of an instance.
  let isSocketNamed: Bool

  /// A socket without an instance: any daemon that listens there is meant.
  var isAny: Bool { instance == .main && isSocketNamed }
}
