import Journal
import RateLimit
import Registration
import RegistrationAPI
import RegistrationCore
import RegistrationQueue
import Systemd

/// New settings while the daemon runs.
extension Daemon {
  /// Reloads the configuration and credentials and applies them. If they cannot be used, the old ones stay in force.
  ///
  /// Returns the names of the settings that changed, and of those that differ from the start and cannot change before a
  /// restart, whichever reload changed them.
  func reload() throws -> (changed: [String], needsRestart: [String]) {
    try reloads.withLock { _ in try reloadOnce() }
  }

  private func reloadOnce() throws -> (changed: [String], needsRestart: [String]) {
    // Not before the first READY=1, which says more.
    let isServing = isServing.withLock { $0 }
    if isServing { notifier.reloading() }
    defer { if isServing { notifier.ready() } }
    let new = try source.load()
    try new.validate()
    let credentials = try CredentialSource(environment: source.environment).load(new.settings)
    let access = try APIAccess(new.settings.api(credentials), in: queue)
    let (changed, needsRestart) = settings.replace(by: new, credentials)
    output.level = new.settings.logLevel
    importer.maxFileSize = new.settings.maxFileSize
    pool.apply(access, pacer: new.settings.pacer, retry: new.settings.retryPolicy)
    try Self.note(QueueOrigin(instance: instance.name, endpoint: new.settings.endpoint.base), in: queue, log)
    log.notice("reloaded", metadata: ["changed": "\(changed.isEmpty ? "nothing" : changed.joined(separator: ", "))"])
    if source.environment["CREDENTIALS_DIRECTORY"] != nil, !changed.contains("credentials") {
      log.notice("credentials from systemd (LoadCredential=) change only after a restart")
    }
    if !needsRestart.isEmpty {
      log.warning("some changes need a restart", metadata: ["settings": "\(needsRestart.joined(separator: ", "))"])
    }
    return (changed, needsRestart)
  }

  func reloadOnSignal() {
    do {
      _ = try reload()
    } catch {
      log.error("not reloaded; the old settings stay in force", metadata: ["detail": "\(error)"])
    }
  }
}
