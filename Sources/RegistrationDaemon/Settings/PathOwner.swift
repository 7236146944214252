import Glibc

/// Which instance a path belongs to, going by its name alone.
///
/// With a configuration copied from another instance, or a symbolic link to another's folder, one organisation's
/// credentials would work through another's lists. The folder names that the units use give this away.
struct PathOwner {
  /// Folders in which every instance has a folder of its own, `keyreg` or `keyreg-NAME`.
  private static let roots = [["var", "spool"], ["var", "lib"], ["run"], ["var", "run"]]

  /// The instance that `path` belongs to; nil when its name does not say.
  ///
  ///     /var/spool/keyreg                  main
  ///     /run/keyreg-acme/control.sock      acme
  ///     /etc/keyreg/credentials/acme/key   acme
  ///     /etc/keyreg/credentials/key        main
  ///     /run/credentials/keyreg@acme.service/key   acme
  ///     /srv/keyreg-acme                   acme, when it is asked for as a folder of an instance
  ///
  /// - Parameter isFolder: The path is a spool or a state directory, which are called after their instance anywhere. The
  ///   main instance's may have any name.
  static func owner(of path: String, isFolder: Bool, asks instance: Instance) -> Instance? {
    let parts = path.split(separator: "/").map(String.init)
    if parts.starts(with: ["etc", "keyreg", "credentials"]), parts.count > 3 {
      return parts.count == 4 ? .main : Instance(parts[3])
    }
    // Where systemd puts the credentials of LoadCredential=.
    if parts.starts(with: ["run", "credentials"]), parts.count > 2 { return owner(ofUnit: parts[2]) }
    for root in roots where parts.starts(with: root) && parts.count > root.count {
      if let owner = named(parts[root.count]) { return owner }
    }
    guard isFolder, instance != .main, let last = parts.last, last != Instance.main.word else { return nil }
    return named(last)
  }

  /// `keyreg.service` belongs to the main instance, `keyreg@acme.service` to acme.
  private static func owner(ofUnit unit: String) -> Instance? {
    let prefix = "\(Instance.main.word)@"
    let suffix = ".service"
    if unit == Instance.main.word + suffix { return .main }
    guard unit.hasPrefix(prefix), unit.hasSuffix(suffix) else { return nil }
    return Instance(String(unit.dropFirst(prefix.count).dropLast(suffix.count)))
  }

  /// The instance whose configuration is `file`; nil for a file elsewhere.
  static func owner(ofConfiguration file: String) -> Instance? {
    let parts = file.split(separator: "/").map(String.init)
    guard parts.count == 3, parts.starts(with: ["etc", "keyreg"]), parts[2].hasSuffix(".yaml") else { return nil }
    let name = String(parts[2].dropLast(".yaml".count))
    return name == Instance.main.word ? .main : Instance(name)
  }

  private static func named(_ folder: String) -> Instance? {
    let prefix = Instance.main.word + "-"
    if folder == Instance.main.word { return .main }
    return folder.hasPrefix(prefix) ? Instance(String(folder.dropFirst(prefix.count))) : nil
  }

  /// `path` with all symbolic links followed. Parts that do not exist yet stay as they are.
  static func resolved(_ path: String) -> String {
    var existing = path
    var missing: [Substring] = []
    while true {
      if let real = realpath(existing, nil) {
        defer { free(real) }
        let base = String(cString: real)
        return ([base == "/" ? "" : base] + missing.reversed().map(String.init)).joined(separator: "/")
      }
      guard let slash = existing.lastIndex(of: "/"), slash != existing.startIndex else { return path }
      missing.append(existing[existing.index(after: slash)...])
      existing = String(existing[..<slash])
    }
  }
}

extension LoadedSettings {
  /// `/etc/keyreg/NAME.yaml` is the configuration of one instance: used for another, it would send that one's lists to
  /// the wrong endpoint.
  private func refuseForeignFile(for instance: Instance) throws(SettingsError) {
    guard let file else { return }
    for candidate in [file, PathOwner.resolved(file)] {
      guard let owner = PathOwner.owner(ofConfiguration: candidate), owner != instance else { continue }
      throw SettingsError(
        "\(candidate) is the configuration of \(owner), not of \(instance)",
        hint: owner.name.map { "use --instance \($0)" } ?? "leave out --instance")
    }
  }

  /// The credentials of one organisation must not work through another's lists.
  private func refuseForeignCredentials(for instance: Instance) throws(SettingsError) {
    guard let folder = credentialsDirectory else { return }
    for candidate in [folder, PathOwner.resolved(folder)] {
      let file = candidate + "/api-key"
      guard let owner = PathOwner.owner(of: file, isFolder: false, asks: instance), owner != instance else { continue }
      let shown = candidate == folder ? folder : "\(folder), which is \(candidate),"
      throw SettingsError(
        "CREDENTIALS_DIRECTORY (environment): \(shown) belongs to \(owner), not to \(instance)",
        hint: "unset it to use \(Settings(instance: instance).apiKeyFile)"
          + (owner.name.map { ", or use --instance \($0)" } ?? ", or leave out --instance"))
    }
  }

  /// Settings that name a place that only one instance may use.
  package enum OwnPlace: String, CaseIterable, Sendable {
    case spool = "spool.directory"
    case state = "state_directory"
    case socket = "control.socket"
    case apiKey = "api.api_key_file"
    case appKey = "api.app_key_file"

    var path: KeyPath<Settings, String> {
      switch self {
      case .spool: \.spoolDirectory
      case .state: \.stateDirectory
      case .socket: \.socket
      case .apiKey: \.apiKeyFile
      case .appKey: \.appKeyFile
      }
    }
  }

  /// Throws `SettingsError` when one of `places`, as written or with its symbolic links followed, is named after
  /// another instance.
  package func refuseForeign(
    _ places: [OwnPlace] = OwnPlace.allCases, for instance: Instance
  ) throws(SettingsError) {
    try refuseForeignFile(for: instance)
    if places.contains(.apiKey) { try refuseForeignCredentials(for: instance) }
    for place in places {
      let path = settings[keyPath: place.path]
      let isFolder = place == .spool || place == .state
      let real = PathOwner.resolved(path)
      for candidate in [path, real] {
        guard let owner = PathOwner.owner(of: candidate, isFolder: isFolder, asks: instance), owner != instance else {
          continue
        }
        let own = Settings(instance: instance)[keyPath: place.path]
        let shown = candidate == path ? path : "\(path), which is \(candidate),"
        throw SettingsError(
          "\(place.rawValue) (\(origin(of: place.rawValue))): \(shown) belongs to \(owner), not to \(instance)",
          hint: "leave out the setting to use \(own)"
            + (owner.name.map { ", or use --instance \($0)" } ?? ", or leave out --instance"))
      }
    }
  }
}
