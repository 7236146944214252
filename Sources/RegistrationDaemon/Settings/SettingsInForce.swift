import RegistrationAPI
import Synchronization

/// The settings and credentials that the daemon works with now. A reload replaces them.
final class SettingsInForce: Sendable {
  private struct State {
    var loaded: LoadedSettings
    var credentials: Credentials
  }

  /// The settings at the start: some of them stay in force until the end.
  private let started: LoadedSettings
  private let state: Mutex<State>

  init(_ loaded: LoadedSettings, _ credentials: Credentials) {
    started = loaded
    state = Mutex(State(loaded: loaded, credentials: credentials))
  }

  var current: Settings { state.withLock { $0.loaded.settings } }

  /// How the API is reached now.
  var api: APISettings { state.withLock { $0.loaded.settings.api($0.credentials) } }

  /// Returns the names of the settings that changed, and of those that differ from the start and cannot change before a
  /// restart, whichever reload changed them.
  func replace(by new: LoadedSettings, _ credentials: Credentials) -> (changed: [String], needsRestart: [String]) {
    state.withLock { state in
      var changed = Self.differences(state.loaded, new)
      if credentials != state.credentials { changed.append("credentials") }
      state = State(loaded: new, credentials: credentials)
      return (changed, Self.differences(started, new).filter(Self.fixed.contains))
    }
  }

  private static func differences(_ old: LoadedSettings, _ new: LoadedSettings) -> [String] {
    zip(old.effective, new.effective).filter { before, after in
      before.value != after.value || hidden[before.name].map { $0(old.settings) != $0(new.settings) } ?? false
    }.map(\.0.name)
  }

  /// Settings of which only a part is shown, since they may contain a secret.
  private static let hidden: [String: @Sendable (Settings) -> String?] = [
    "api.proxy": { $0.proxy }, "notify.url": { $0.notifyURL },
  ]

  private static let fixed: Set = [
    "spool.directory", "spool.settle", "state_directory", "control.socket", "control.mode", "control.listen",
    "log.format",
  ]
}
