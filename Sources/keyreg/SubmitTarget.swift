import ControlAPI
import Glibc
import Registration
import RegistrationDaemon

/// The spool that lists are dropped into, and the daemon that is asked about them. They belong together: a daemon that is
/// named by its socket alone says itself where its spool is.
struct SubmitTarget {
  let client: ControlClient
  let spool: String
  /// The instance that the spool must belong to.
  let instance: Instance
  /// Why the daemon did not answer; nil when it did.
  let fault: (any Error)?
  /// The largest list that the daemon takes, in bytes; of a daemon that does not answer, as configured.
  private(set) var maxFileSize: Int
  /// Whether the daemon has named the spool, and not the configuration.
  private let isNamedByDaemon: Bool

  /// - Parameters:
  ///   - socket: As given by a flag.
  ///   - isConfigured: A configuration file was named by a flag.
  init(
    _ loaded: LoadedSettings, for asked: Instance, socket: String?, isConfigured: Bool, isSame: (String, String) -> Bool
  ) throws {
    let socket = Socket(flag: socket, loaded)
    client = ControlClient(socket: socket.path)
    let configured = loaded.settings.spoolDirectory
    maxFileSize = loaded.settings.maxFileSize
    let isSpoolNamed = isConfigured || loaded.origin(of: "spool.directory") == .environment("KEYREG_SPOOL")
    let status: StatusDocument
    do {
      status = try client.status()
    } catch {
      // The list waits in the spool until the daemon runs. But nobody else knows the spool of an unknown socket.
      if socket.isNamed, !isSpoolNamed, !socket.isConfigured {
        let failure = Failure(error)
        throw Failure(
          failure.exit, "\(failure.message); only that daemon knows its spool, so nothing was submitted",
          hint: "start it, or name its configuration with --config (or its spool with KEYREG_SPOOL)")
      }
      (spool, instance, fault, isNamedByDaemon) = (configured, asked, error, false)
      return
    }
    maxFileSize = status.maxFileSize ?? maxFileSize
    let daemon = DaemonName(status)
    try daemon.check(at: socket.path, for: AskedDaemon(instance: asked, isSocketNamed: socket.isNamed))
    daemon.announce()
    if let served = status.spool, socket.isNamed, !isSpoolNamed {
      instance = status.instance.flatMap { Instance($0) } ?? .main
      (spool, fault, isNamedByDaemon) = (served, nil, true)
      return
    }
    if let served = status.spool, !isSame(served, configured) {
      throw Failure(
        .configuration, "the daemon at \(socket.path) serves the spool \(served), not \(configured)",
        hint: "check --socket, --config and spool.directory; after a change restart the daemon. Nothing was submitted")
    }
    (spool, instance, fault, isNamedByDaemon) = (configured, asked, nil, false)
  }

  /// Refuses a spool of another instance.
  func check(_ loaded: LoadedSettings, for asked: Instance) throws {
    if !isNamedByDaemon { try loaded.refuseForeign([.spool], for: asked) }
    do throws(InstanceStamp.Refusal) {
      try InstanceStamp(folder: spool).check(for: instance)
    } catch {
      guard [EACCES, EPERM].contains(error.code) else { throw error }
      throw Failure(.permission, error.description, hint: AccessHint.joining(for: spool))
    }
  }

  private struct Socket {
    var path: String
    /// By flag or environment, not by the configuration of an instance.
    var isNamed: Bool
    /// It is the one that belongs to the spool of the configuration.
    var isConfigured: Bool

    init(flag: String?, _ loaded: LoadedSettings) {
      let fromEnvironment = loaded.origin(of: "control.socket") == .environment("KEYREG_SOCKET")
      path = flag ?? loaded.settings.socket
      isNamed = flag != nil || fromEnvironment
      isConfigured = path == loaded.settings.socket && !fromEnvironment
    }
  }

  /// Whether the daemon's path and the configured one mean the same folder. A path of the daemon that does not exist here
  /// is its own view of the spool, in a container for example, and contradicts nothing.
  static func isSameFolder(_ served: String, _ configured: String) -> Bool {
    var (first, second) = (stat(), stat())
    guard served != configured, stat(served, &first) == 0 else { return true }
    return stat(configured, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino
  }
}
