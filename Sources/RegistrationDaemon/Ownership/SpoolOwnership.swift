import Dispatch
import Glibc
import Registration
import RegistrationQueue
import Spool
import Synchronization

/// Taking ownership of a spool: it belongs to the instance, its folders exist, and no other daemon serves it.
///
/// A hanging spool must not prevent the daemon from starting, so all of this runs on a dispatch queue of its own. The
/// start waits a few seconds for it; after that the daemon works without a spool until it responds.
final class SpoolOwnership: Sendable {
  /// A folder as it was at the start, for creating it again.
  private struct Form {
    var mode: mode_t
    var owner: uid_t
    var group: gid_t
  }

  private struct State {
    var lock: SpoolLock?
    var forms: [SpoolDirectory.Subfolder: Form] = [:]
    var isServed = false
    /// Why the last attempt failed.
    var fault: SpoolError?
    /// An error that no further attempt can fix.
    var refusal: (any Error)?
    /// An error ends the start as long as the start is waiting.
    var isWaitedFor = true
    let since = Timestamp.now()
  }

  /// Seconds that the start waits for the spool.
  private static let patience = 4.0
  /// Seconds between two attempts.
  private static let interval: UInt32 = 2

  private let spool: SpoolDirectory
  private let instance: Instance
  private let lost: @Sendable (any Error) -> Void
  private let serial = DispatchQueue(label: "keyreg.spool.ownership")
  private let state = Mutex(State())

  /// - Parameters:
  ///   - instance: Whose spool it is.
  ///   - lost: Called when the spool was replaced by one of another daemon or instance.
  init(spool: SpoolDirectory, of instance: Instance, lost: @escaping @Sendable (any Error) -> Void) {
    self.spool = spool
    self.instance = instance
    self.lost = lost
  }

  /// The spool is this daemon's, and what an earlier run left in it is cleaned up: lists may be taken and results
  /// written.
  var isServed: Bool { state.withLock { $0.isServed } }

  /// Why the spool is not served, while it is not.
  var fault: SpoolError? {
    state.withLock { state in
      if state.isServed { return nil }
      return state.fault ?? .unanswered(spool: spool.path, "since \(state.since)")
    }
  }

  /// Runs `body` before anything is created in the spool. Throws its error while the start waits for it; later it is
  /// tried until the spool responds, like everything that follows.
  func check(_ body: @escaping @Sendable () throws -> Void) throws {
    _ = try attempt(body)
  }

  /// Creates missing folders, and takes the lock. Throws if that is refused, and returns false when the spool does not
  /// respond.
  func take() throws -> Bool {
    try attempt { [self] in
      try spool.prepare()
      let lock = try SpoolLock(spool: spool)
      let forms = try Self.forms(of: spool)
      state.withLock { state in (state.lock, state.forms) = (lock, forms) }
    }
  }

  /// Runs `prepare` once the spool is taken; then the spool is served. Throws as `check` does.
  func serve(_ prepare: @escaping @Sendable () throws -> Void) throws {
    _ = try attempt { [self] in
      try prepare()
      state.withLock { $0.isServed = true }
    }
  }

  /// Calls `body` once the spool is served, or with the error that refuses it for good.
  func afterwards(_ body: @escaping @Sendable ((any Error)?) -> Void) {
    serial.async { @Sendable [self] in body(state.withLock { $0.refusal }) }
  }

  private func attempt(_ body: @escaping @Sendable () throws -> Void) throws -> Bool {
    let done = DispatchSemaphore(value: 0)
    serial.async { @Sendable [self] in
      run(body)
      done.signal()
    }
    // A spool that has hung once is not waited for again.
    let patience = state.withLock { $0.isWaitedFor } ? Self.patience : 0
    let isDone = done.wait(timeout: .now() + patience) == .success
    return try state.withLock { state in
      if isDone, let refusal = state.refusal { throw refusal }
      // It may have ended at this very moment.
      if !isDone { state.isWaitedFor = false }
      return isDone
    }
  }

  private func run(_ body: () throws -> Void) {
    while state.withLock({ $0.refusal == nil }) {
      do {
        try body()
        state.withLock { $0.fault = nil }
        return
      } catch {
        let isFinal = state.withLock { state in
          state.fault = SpoolError(passing: error)
          if state.isWaitedFor || state.fault == nil { state.refusal = error }
          return state.refusal != nil
        }
        if isFinal { return }
        sleep(Self.interval)
      }
    }
  }

  // MARK: - Another spool at the same path

  /// Locks a spool that was put into the place of this one, with all of its folders. Without effect while the spool is
  /// this daemon's.
  ///
  /// - Returns: Whether it was another one.
  func renew() throws(SpoolError) -> Bool {
    guard isServed, let lock = state.withLock({ $0.lock }), !lock.protects(spool) else { return false }
    let stamp = InstanceStamp(folder: spool.path)
    do {
      try stamp.check(for: instance)
      let lock = try SpoolLock(spool: spool)
      try stamp.leave(for: instance)
      let forms = try Self.forms(of: spool)
      state.withLock { state in (state.lock, state.forms) = (lock, forms) }
      return lock.protects(spool)
    } catch {
      if let fault = SpoolError(passing: error) { throw fault }
      lost(error)
      throw SpoolError(kind: .system, message: "\(error)")
    }
  }

  // MARK: - Folders

  private static func forms(of spool: SpoolDirectory) throws(SpoolError) -> [SpoolDirectory.Subfolder: Form] {
    var forms: [SpoolDirectory.Subfolder: Form] = [:]
    for place in SpoolDirectory.Subfolder.allCases {
      var status = stat()
      let path = spool.path(of: place)
      guard stat(path, &status) == 0 else { throw SpoolError("access \(path)", code: errno) }
      forms[place] = Form(mode: status.st_mode & 0o7777, owner: status.st_uid, group: status.st_gid)
    }
    return forms
  }

  enum Restoration {
    case created
    /// Something was in its place after all.
    case needless
    /// The spool is not the one that this daemon has locked, and has no incoming/: an unmounted file system must not get a
    /// second spool in its mount point.
    case refused
  }

  /// Creates a removed folder again as it was at the start.
  func restore(_ place: SpoolDirectory.Subfolder) throws(SpoolError) -> Restoration {
    let (lock, form) = state.withLock { ($0.lock, $0.forms[place]) }
    guard let lock, let form, lock.isIn(spool.path) || isFolder(.incoming) else { return .refused }
    let path = spool.path(of: place)
    guard mkdir(path, form.mode & 0o777) == 0 else {
      if errno == EEXIST { return .needless }
      throw SpoolError("create the folder \(path) again", code: errno)
    }
    // Only root may change the owner; the daemon can do without, since the folder is its own.
    _ = lchown(path, form.owner, form.group)
    _ = chmod(path, form.mode)
    return .created
  }

  private func isFolder(_ place: SpoolDirectory.Subfolder) -> Bool {
    var status = stat()
    return stat(spool.path(of: place), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}

extension SpoolError {
  /// Nil for an error that is permanent, whatever happens to the file system.
  fileprivate init?(passing error: any Error) {
    switch error {
    case let error as SpoolError: self = error
    case let error as SpoolLock.Refusal where !error.isOwned:
      self.init(kind: .system, message: error.description, hint: error.hint, code: error.code)
    case let error as InstanceStamp.Refusal where error.code != 0:
      self.init(kind: .system, message: error.description, hint: error.hint, code: error.code)
    case let error as QueueError where error.kind == .disk:
      self.init(kind: .disk, message: error.description, hint: error.hint)
    default: return nil
    }
  }
}
