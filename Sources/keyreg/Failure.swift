import ArgumentParser
import ControlAPI
import Glibc
import Registration
import RegistrationDaemon
import RegistrationQueue
import SandboxAPI
import Secrets
import Spool

/// The exit codes of all commands: from sysexits, and from the LSB for `status`.
enum Exit: Int32 {
  case done = 0
  case someFailed = 1
  case notRunning = 3
  case unreachable = 4
  case usage = 64
  case badList = 65
  case noSuchFile = 66
  case unavailable = 69
  case internalError = 70
  case inputOutput = 74
  case tryAgain = 75
  case permission = 77
  case configuration = 78
}

/// What a command prints when it fails: one line, and a hint on a second line if there is one.
struct Failure: Error {
  let exit: Exit
  let message: String
  let hint: String?
  /// Whether the text has no secrets but may have what looks like one.
  let isPublic: Bool

  init(_ exit: Exit, _ message: String, hint: String? = nil, isPublic: Bool = false) {
    self.exit = exit
    self.message = message
    self.hint = hint
    self.isPublic = isPublic
  }

  /// `usage` is the parser's own message, if the parser refused the arguments.
  init(_ error: any Error, usage: String? = nil) {
    switch error {
    case let failure as Failure: self = failure
    case let error as ControlClientError: self = Self.control(error)
    case let error as SettingsError:
      self.init(error.isDenied ? .permission : .configuration, error.description, hint: error.hint)
    case let error as CredentialError: self = Self.credential(error)
    case let error as StateDirectoryError:
      let exit: Exit =
        switch error {
        case .owned: .tryAgain
        case .inaccessible(_, let code): Self.exit(forSystem: code)
        }
      self.init(exit, error.description, hint: error.hint)
    case let error as InstanceStamp.Refusal:
      self.init(
        error.code == 0 ? .configuration : Self.exit(forSystem: error.code), error.description, hint: error.hint)
    case let error as SpoolLock.Refusal:
      self.init(error.isOwned ? .tryAgain : Self.exit(forSystem: error.code), error.description, hint: error.hint)
    case let error as QueueError:
      let exit: Exit =
        switch error.kind {
        case .defect: .internalError
        case .disk: .inputOutput
        case .foreign: .permission
        // A restart fixes none of them.
        case .corrupt, .missing, .newer, .elsewhere: .configuration
        }
      self.init(exit, error.description, hint: error.hint)
    case let error as SpoolError: self = Self.spool(error)
    case let error as ControlServerError: self = Self.server(error)
    // `500:1%@10s-` looks like a password before a host.
    case let error as SyntaxError: self.init(.usage, error.message, hint: error.hint, isPublic: true)
    default:
      if let usage {
        let lines = usage.split(separator: "\n").prefix { !$0.hasPrefix("Usage:") }
        self.init(.usage, lines.joined(separator: " "), hint: "see keyreg --help, or --help after a command")
      } else {
        self.init(.internalError, "\(error)")
      }
    }
  }

  /// Safe for the terminal, and without anything that looks like a secret.
  var text: String {
    let first = "keyreg: error: \(shown(message))\n"
    return first + (hint.map { "hint: \(shown($0))\n" } ?? "")
  }

  private func shown(_ text: String) -> String {
    PrintableText.escape(isPublic ? text : SecretText.redacted(text), limit: 2_000)
  }

  private static func exit(forSystem code: Int32) -> Exit {
    code == EACCES || code == EPERM ? .permission : .inputOutput
  }

  private static func control(_ error: ControlClientError) -> Failure {
    switch error {
    case .notRunning(let socket):
      Failure(.notRunning, error.description, hint: AccessHint.starting(socket: socket))
    case .forbidden(let socket, _):
      Failure(
        .permission, error.description,
        hint: AccessHint.joining(for: socket) ?? "the socket belongs to the daemon's group: join it, or use sudo")
    case .unreachable:
      Failure(
        .inputOutput, error.description,
        hint: "check that this is the path of a socket; keyreg check shows control.socket")
    case .timedOut:
      Failure(
        .tryAgain, error.description,
        hint: "it may be stopped (SIGSTOP, a debugger), or the machine may be overloaded; look at the daemon's journal")
    case .cutOff: Failure(.tryAgain, error.description, hint: "it may have been stopped or restarted: try again")
    case .refused(let status, let code, let message, let hint):
      Failure(exit(status: status, code: code), message, hint: hint)
    case .malformed:
      Failure(.internalError, error.description, hint: "check that the command and the daemon have the same version")
    }
  }

  /// Uses the error's code if it says more than the status.
  private static func exit(status: Int, code: String) -> Exit {
    switch (status, code) {
    case (_, "no_space"), (_, "disk"): .inputOutput
    case (_, "no_access"): .permission
    case (_, "unavailable"): .tryAgain
    case (404, _): .noSuchFile
    case (422, _): .badList
    case (400..<500, _): .usage
    default: .internalError
    }
  }

  private static func credential(_ error: CredentialError) -> Failure {
    switch error.reason {
    case .missing:
      Failure(
        .configuration, error.message,
        hint: "\(error.hint); or set DD_API_KEY and DD_APP_KEY, or use systemd's LoadCredential=")
    case .malformed: Failure(.configuration, error.message, hint: error.hint)
    case .refused, .unreadable: Failure(.permission, error.message, hint: error.hint)
    }
  }
}

extension Failure {
  private static func spool(_ error: SpoolError) -> Failure {
    switch error.kind {
    case .permission: Failure(.permission, error.message, hint: error.hint)
    case .invalidName: Failure(.usage, error.message, hint: error.hint)
    case .missing:
      Failure(.noSuchFile, error.message, hint: error.hint ?? "check spool.directory with keyreg check")
    case .tooLarge, .notRegular: Failure(.badList, error.message, hint: error.hint)
    case .unanswered: Failure(.tryAgain, error.message, hint: error.hint)
    case .noSpace, .disk, .system: Failure(.inputOutput, error.message, hint: error.hint)
    }
  }

  private static func server(_ error: ControlServerError) -> Failure {
    Failure(
      error.isInUse ? .tryAgain : error.isDenied ? .permission : .inputOutput, error.message, hint: error.hint)
  }
}

extension Encodable {
  /// One line of JSON, as the control socket sends it.
  func json() throws -> String { String(decoding: try DocumentCoding.encode(self), as: UTF8.self) }
}
