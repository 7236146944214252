import Spool

extension LoadedSettings {
  /// Throws `SettingsError` when the spool is another instance's, or files of the daemon's own lie in its folders.
  package func refuseSpool(for instance: Instance) throws(SettingsError) {
    try refuseForeign([.spool], for: instance)
    try refuseOwnFilesInSpool()
  }

  /// Every regular file in a folder of the spool is a list. A queue or a credential there would be moved away and read as
  /// one.
  ///
  /// Throws `SettingsError` when a place of the daemon's own, as written or with its symbolic links followed, lies in such
  /// a folder.
  private func refuseOwnFilesInSpool() throws(SettingsError) {
    let spool = SpoolDirectory(path: settings.spoolDirectory)
    let folders = SpoolDirectory.Subfolder.allCases.map { spool.path(of: $0) }
    let places = OwnPlace.allCases.filter { $0 != .spool }.map { ($0.rawValue, settings[keyPath: $0.path]) }
    let certificates = settings.caFile.map { [("api.ca_file", $0)] } ?? []
    for (name, path) in places + certificates {
      let spellings = [path, PathOwner.resolved(path)]
      let folder = folders.first { folder in
        [folder, PathOwner.resolved(folder)].contains { folder in
          spellings.contains { $0 == folder || $0.hasPrefix(folder + "/") }
        }
      }
      guard let folder else { continue }
      throw SettingsError(
        "\(name) (\(origin(of: name))): \(path) lies in \(folder), where every file is a list",
        hint: "choose a place outside of the spool")
    }
  }
}
