import Foundation

/// Where the instances of this machine are found.
package enum InstancePlaces {
  /// The names of the instances with a configuration or a socket, nil for the main one, in order of their names.
  package static func names() -> [String?] {
    let files = entries(of: "/etc/keyreg").compactMap { file in
      PathOwner.owner(ofConfiguration: "/etc/keyreg/\(file)")
    }
    let sockets = entries(of: "/run").compactMap { folder in
      folder == Instance.main.word ? .main : folder.hasPrefix("keyreg-") ? Instance(String(folder.dropFirst(7))) : nil
    }.filter { FileManager.default.fileExists(atPath: Settings(instance: $0).socket) }
    return Set(files + sockets).map(\.name).sorted { ($0 ?? "") < ($1 ?? "") }
  }

  /// The control socket of an instance, as `ClientSocket` finds it. The environment is not asked: what it names belongs to
  /// one instance only.
  package static func socket(
    of name: String?, isAnswering: (String) -> Bool
  ) throws(SettingsError) -> String {
    try ClientSocket.path(SettingsSource(instance: name, environment: [:]), isAnswering: isAnswering)
  }

  /// None for a folder that is not there, or that this user may not read.
  private static func entries(of folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }
}
