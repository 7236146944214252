import Foundation
import Glibc
import Registration
import RegistrationAPI
import Yams

/// Reads settings from flags, environment and file, and remembers where each value came from.
///
/// Precedence: flag, environment, credentials directory, file, folders that systemd offers, default.
package struct SettingsSource: Sendable {
  /// The file named by a flag; nil takes the instance's default, which need not exist.
  package var file: String?
  /// As it was asked for; nil for the main one.
  private let instanceName: String?
  package var environment: [String: String]
  /// Values given as flags, by the name of the setting.
  package var flags: [String: String]

  package init(
    file: String? = nil, instance: String? = nil, environment: [String: String], flags: [String: String] = [:]
  ) {
    self.file = file
    // An empty variable counts as one that is not there, as with most programs.
    self.environment = environment.filter { !$0.value.isEmpty }
    instanceName = instance ?? self.environment["KEYREG_INSTANCE"]
    self.flags = flags
  }

  /// The instance that is meant. Throws `SettingsError` for a name that cannot be one.
  package var instance: Instance {
    get throws(SettingsError) {
      guard let instanceName else { return .main }
      guard let instance = Instance(instanceName) else {
        throw SettingsError(
          "“\(PrintableText.escape(instanceName, limit: 80))” cannot be the name of an instance",
          hint: instanceName == Instance.main.word
            ? "that is the main instance: leave --instance out"
            : "letters, digits, -, _ and . (not first), at most 64")
      }
      return instance
    }
  }

  /// Reads everything anew. Throws `SettingsError`, with file, line and column where there is one.
  package func load() throws(SettingsError) -> LoadedSettings {
    let instance = try instance
    var loaded = LoadedSettings(Settings(instance: instance))
    loaded.credentialsDirectory = environment["CREDENTIALS_DIRECTORY"]
    try takeFolders(to: &loaded)
    let path = file ?? Settings.file(instance: instance)
    if let text = try read(path) {
      try SettingsFile(path: path).apply(text, to: &loaded)
      loaded.file = path
    }
    for key in SettingKey.all {
      for variable in key.variables.reversed() {
        guard let value = environment[variable] else { continue }
        try loaded.take(value, for: key, from: "environment \(variable)", at: "\(variable)")
      }
      if let value = flags[key.name] { try loaded.take(value, for: key, from: "flag", at: "the flag for \(key.name)") }
    }
    return loaded
  }

  /// The folders that a unit has systemd make. What the file says is more than what a unit offers.
  private func takeFolders(to loaded: inout LoadedSettings) throws(SettingsError) {
    for (variable, name, suffix) in [
      ("STATE_DIRECTORY", "state_directory", ""), ("RUNTIME_DIRECTORY", "control.socket", "/control.sock"),
    ] {
      guard let folders = environment[variable], let key = SettingKey.named(name) else { continue }
      // systemd names several folders with colons between; the first is the one.
      let folder = folders.prefix { $0 != ":" }
      try loaded.take(folder + suffix, for: key, from: "environment \(variable)", at: variable)
    }
  }

  /// Nil when there is no file and none was asked for. A file that may not be read is an error: the defaults would send
  /// the credentials to another site.
  private func read(_ path: String) throws(SettingsError) -> String? {
    var status = stat()
    if file == nil, lstat(path, &status) != 0, errno == ENOENT { return nil }
    let bytes: [UInt8]
    do {
      bytes = try Self.content(of: path)
    } catch {
      let reason = String(cString: strerror(error.code))
      throw SettingsError("cannot read the configuration \(path): \(reason)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let (line, column) = Self.placeOfFault(in: bytes)
      throw SettingsError(
        "\(path):\(line):\(column): this is not UTF-8", hint: "write the file in UTF-8; every plain ASCII file is")
    }
    return text
  }

  private struct SystemFault: Error {
    var code: Int32
  }

  private static func content(of path: String) throws(SystemFault) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemFault(code: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count == 0 { return bytes }
      if count > 0 {
        bytes += buffer[..<count]
      } else if errno != EINTR {
        throw SystemFault(code: errno)
      }
    }
  }

  /// Line and column, from one, of the first bytes that are no UTF-8.
  private static func placeOfFault(in bytes: [UInt8]) -> (line: Int, column: Int) {
    var decoder = UTF8()
    var rest = bytes.makeIterator()
    var (line, column) = (1, 1)
    while case .scalarValue(let scalar) = decoder.decode(&rest) {
      (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
    }
    return (line, column)
  }
}

extension LoadedSettings {
  /// What only the daemon can tell: files that it must be able to read, and settings that do not go together. Throws
  /// `SettingsError`.
  package func validate() throws(SettingsError) {
    func fail(_ name: String, _ problem: String, hint: String) throws(SettingsError) {
      throw SettingsError("\(name) (\(origin(of: name))): \(problem)", hint: hint)
    }
    if let file = settings.caFile, !FileManager.default.isReadableFile(atPath: file) {
      try fail("api.ca_file", "cannot be read", hint: "name a PEM file that the daemon's user can read")
    }
    if settings.socket.utf8.count > 107 {
      try fail(
        "control.socket", "is longer than 107 bytes, the most that a socket's path can have",
        hint: "name a shorter path")
    }
    if settings.firstDelay > settings.maxDelay {
      try fail("retry.first_delay", "is longer than retry.max_delay", hint: "raise retry.max_delay")
    }
  }
}

/// Settings, and where each of them came from.
package struct LoadedSettings: Sendable {
  package var settings: Settings
  /// The file that was read, nil when there was none.
  package var file: String?
  /// The folder from which systemd hands over credentials, nil when there is none.
  package var credentialsDirectory: String?
  private var origins: [String: String] = [:]

  init(_ settings: Settings) {
    self.settings = settings
  }

  /// Each setting's name, value and origin, in the order of the documentation.
  package var effective: [(name: String, value: String, origin: String)] {
    SettingKey.all.map { key in
      let origin = key.name == "api.url" && settings.url == nil ? "site" : origin(of: key.name)
      return (key.name, key.show(settings), origin)
    }
  }

  /// Where the value of a setting came from.
  func origin(of name: String) -> String { origins[name] ?? "default" }

  /// - Parameter place: Where the value stands, for the error.
  mutating func take(_ text: String?, for key: SettingKey, from origin: String, at place: String) throws(SettingsError)
  {
    guard key.take(&settings, text) else {
      let shown = key.isSensitive ? "this" : text.map { "“\(PrintableText.escape($0, limit: 80))”" } ?? "null"
      throw SettingsError("\(place): \(shown) is not allowed for \(key.name)", hint: Self.hint(for: key, text))
    }
    origins[key.name] = origin
  }

  /// What is allowed, and for the two values that have a reading of their own, what is wrong with this one.
  private static func hint(for key: SettingKey, _ text: String?) -> String {
    do {
      if key.name == "site", let text { _ = try Site(text) }
      if key.name == "api.url", let text { _ = try Endpoint(url: text) }
    } catch let error as UnknownSite {
      return error.hint
    } catch {
      return "\(error)"
    }
    return "allowed: \(key.allowed)"
  }
}
