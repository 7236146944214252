/// Where the value of a setting came from.
package enum SettingOrigin: Hashable, Sendable {
  case standard
  /// The variable of this name.
  case environment(String)
  /// This place in the configuration: file, line and column.
  case file(String)
  case flag
}

extension SettingOrigin: CustomStringConvertible {
  package var description: String {
    switch self {
    case .standard: "default"
    case .environment(let variable): "environment \(variable)"
    case .file(let place): place
    case .flag: "flag"
    }
  }
}
