import ControlAPI
import RateLimit
import Registration
import RegistrationAPI
import RegistrationCore
import RegistrationQueue
import Systemd

/// What an operator can have the daemon do while it runs.
extension Daemon {
  /// Pauses, or resumes with nil. Kept over restarts before it takes effect.
  ///
  /// To resume ends a pause. Without one it means that refusals are to be believed: who only ends a pause must not fail a
  /// list with it.
  func pause(_ pause: Pause?) throws {
    let wasPaused = pool.snapshot().pause != nil
    try queue.remember(pause, named: Memory.pause)
    pool.pause(pause)
    if pause == nil, !wasPaused { pool.believe() }
    if let pause {
      log.notice("paused", metadata: ["reason": "\(pause.reason ?? "")"])
    } else {
      log.notice("resumed")
    }
  }

  /// Reads configuration and credentials anew and puts them into force. When they cannot be used, the old ones stay.
  ///
  /// Returns the names of the settings that changed, and of those that have another value than at the start and cannot
  /// change before a restart, whichever reload brought it.
  func reload() throws -> (changed: [String], needsRestart: [String]) {
    try reloads.withLock { _ in try reloadOnce() }
  }

  private func reloadOnce() throws -> (changed: [String], needsRestart: [String]) {
    // Not before the first READY=1, which says more than that.
    let isServing = state.withLock { $0.isServing }
    if isServing { notifier.reloading() }
    defer { if isServing { notifier.ready() } }
    let new = try source.load()
    try new.validate()
    let credentials = try CredentialSource(environment: source.environment).load(new.settings)
    let access = try APIAccess(new.settings.api(credentials), in: queue)
    let (changed, fixed) = state.withLock { state in
      let old = state.loaded.effective
      var changed = zip(old, new.effective).filter { $0.value != $1.value }.map(\.0.name)
      if credentials != state.credentials { changed.append("credentials") }
      state.loaded = new
      state.credentials = credentials
      let fixed = zip(started.effective, new.effective)
        .filter { $0.value != $1.value && Self.needsRestart.contains($0.name) }.map(\.0.name)
      return (changed, fixed)
    }
    output.level = new.settings.logLevel
    importer.maxFileSize = new.settings.maxFileSize
    pool.apply(access, pacer: new.settings.pacer, retry: new.settings.retryPolicy)
    log.notice("reloaded", metadata: ["changed": "\(changed.isEmpty ? "nothing" : changed.joined(separator: ", "))"])
    if source.environment["CREDENTIALS_DIRECTORY"] != nil, !changed.contains("credentials") {
      log.notice("credentials that systemd hands over (LoadCredential=) are new only after a restart")
    }
    if !fixed.isEmpty {
      log.warning("some changes need a restart", metadata: ["settings": "\(fixed.joined(separator: ", "))"])
    }
    return (changed, fixed)
  }

  private static let needsRestart: Set = [
    "spool.directory", "spool.settle", "state_directory", "control.socket", "control.mode", "control.listen",
    "log.format",
  ]

  func reloadOnSignal() {
    do {
      _ = try reload()
    } catch {
      log.error("not reloaded: the old settings stay in force", metadata: ["detail": "\(error)"])
    }
  }
}
