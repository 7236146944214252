import Foundation
import Glibc
import Registration
import RegistrationAPI
import Yams

/// Reads settings from flags, environment and file, and remembers where each value came from.
///
/// Precedence: flag, environment, credentials directory, file, folders provided by systemd, default.
package struct SettingsSource: Sendable {
  /// The file named by a flag; nil means the instance's default, which need not exist.
  package var file: String?
  /// The requested name; nil for the main instance.
  private let instanceName: String?
  package var environment: [String: String]
  /// Values given as flags, by the name of the setting.
  package var flags: [String: String]

  package init(
    file: String? = nil, instance: String? = nil, environment: [String: String], flags: [String: String] = [:]
  ) {
    self.file = file
    // An empty variable counts as unset, as in most programs.
    self.environment = environment.filter { !$0.value.isEmpty }
    instanceName = instance ?? self.environment["KEYREG_INSTANCE"]
    self.flags = flags
  }

  /// The requested instance. Throws `SettingsError` for an invalid name.
  package var instance: Instance {
    get throws(SettingsError) {
      guard let instanceName else { return .main }
      guard let instance = Instance(instanceName) else {
        throw SettingsError(
          "“\(PrintableText.escape(instanceName, limit: 80))” cannot be the name of an instance",
          hint: instanceName == Instance.main.word
            ? "that is the main instance; leave out --instance"
            : "use at most 64 letters, digits, -, _ and . (it must not start with - or .)")
      }
      return instance
    }
  }

  /// Reads everything again. Throws `SettingsError`, with file, line and column if there are any.
  package func load() throws(SettingsError) -> LoadedSettings {
    let instance = try instance
    var loaded = LoadedSettings(Settings(instance: instance))
    loaded.credentialsDirectory = environment["CREDENTIALS_DIRECTORY"]
    loaded.settings.certificateFile = environment["SSL_CERT_FILE"]
    loaded.settings.certificateFolders = environment["SSL_CERT_DIR"]?.split(separator: ":").map(String.init) ?? []
    loaded.proxies = EnvironmentProxies(environment)
    try takeFolders(to: &loaded)
    let path = file ?? Settings.file(instance: instance)
    if let text = try read(path) {
      try SettingsFile(path: path).apply(text, to: &loaded)
      loaded.file = path
    }
    for key in SettingKey.all {
      for variable in key.variables.reversed() {
        guard let value = environment[variable] else { continue }
        try loaded.take(value, for: key, from: .environment(variable), at: variable)
      }
      if let value = flags[key.name] { try loaded.take(value, for: key, from: .flag, at: "the flag for \(key.name)") }
    }
    return loaded
  }

  /// The folders that systemd creates for a unit. The file takes precedence over them.
  private func takeFolders(to loaded: inout LoadedSettings) throws(SettingsError) {
    for (variable, name, suffix) in [
      ("STATE_DIRECTORY", "state_directory", ""), ("RUNTIME_DIRECTORY", "control.socket", "/control.sock"),
    ] {
      guard let folders = environment[variable], let key = SettingKey.named(name) else { continue }
      // systemd separates several folders with colons; the first one is used.
      let folder = folders.prefix { $0 != ":" }
      try loaded.take(folder + suffix, for: key, from: .environment(variable), at: variable)
    }
  }

  /// Nil when there is no file and none was requested. A file that may not be read is an error: with the defaults, the
  /// credentials would be sent to another site.
  private func read(_ path: String) throws(SettingsError) -> String? {
    var status = stat()
    if file == nil, lstat(path, &status) != 0, errno == ENOENT { return nil }
    let bytes = try Self.content(of: path)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let (line, column) = Self.placeOfFault(in: bytes)
      throw SettingsError(
        "\(path):\(line):\(column): this is not UTF-8", hint: "save the file as UTF-8")
    }
    return text
  }

  /// Bytes. The configuration with every setting and its explanation is a hundredth of it.
  private static let longest = 1 << 20

  /// Of a regular file or `/dev/null`: a pipe may never end, and nothing is left in it for a reload.
  private static func content(of path: String) throws(SettingsError) -> [UInt8] {
    do throws(SystemFault) {
      let descriptor = try FileIO.open(path, O_RDONLY | O_NONBLOCK)
      defer { close(descriptor) }
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { throw SystemFault(code: errno) }
      if status.st_mode & S_IFMT == S_IFDIR { throw SystemFault(code: EISDIR) }
      if [S_IFREG, S_IFCHR].contains(status.st_mode & S_IFMT) {
        let bytes = try FileIO.read(descriptor, upTo: longest + 1)
        if bytes.count <= longest { return bytes }
      }
    } catch {
      throw SettingsError(
        "cannot read the configuration \(path): \(error.text)", isDenied: [EACCES, EPERM].contains(error.code))
    }
    throw SettingsError("the configuration \(path) is not a regular file of at most 1 MiB")
  }

  /// Line and column, from 1, of the first bytes that are not UTF-8.
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
  /// Checks that only the daemon can make: files that it must be able to read, and settings that contradict each other.
  /// Throws `SettingsError`.
  package func validate() throws(SettingsError) {
    func fail(_ name: String, _ problem: String, hint: String) throws(SettingsError) {
      throw SettingsError("\(name) (\(origin(of: name))): \(problem)", hint: hint)
    }
    if let file = settings.caFile, let fault = TrustFault(inFile: file) {
      try fail("api.ca_file", fault.problem, hint: fault.hint)
    }
    if let file = settings.certificateFile, let fault = TrustFault(inFile: file) {
      throw SettingsError(
        "environment SSL_CERT_FILE: \(PrintableText.escape(file)): \(fault.problem)", hint: fault.hint)
    }
    for folder in settings.certificateFolders {
      guard let fault = TrustFault(inFolder: folder) else { continue }
      throw SettingsError(
        "environment SSL_CERT_DIR: \(PrintableText.escape(folder)): \(fault.problem)", hint: fault.hint)
    }
    if let variable = proxies.unusable(for: settings) {
      throw SettingsError(
        "environment \(variable): this is not the address of a proxy",
        hint: "write one such as http://proxy.example:3128, or unset it")
    }
    if settings.socket.utf8.count > 107 {
      try fail(
        "control.socket", "is longer than 107 bytes, the limit for the path of a socket",
        hint: "choose a shorter path")
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
  /// The folder with credentials from systemd, nil when there is none.
  package var credentialsDirectory: String?
  var proxies = EnvironmentProxies([:])
  private var origins: [String: SettingOrigin] = [:]

  init(_ settings: Settings) {
    self.settings = settings
  }

  /// Each setting's name, value and origin, in the order of the documentation.
  package var effective: [(name: String, value: String, origin: String)] {
    SettingKey.all.map { key in
      if key.name == "api.proxy" {
        let (value, origin) = proxies.choice(for: settings, origin: "\(origin(of: key.name))")
        return (key.name, value, origin)
      }
      let origin = key.name == "api.url" && settings.url == nil ? "site" : "\(origin(of: key.name))"
      return (key.name, key.show(settings), origin)
    }
      + [("SSL_CERT_FILE", settings.certificateFile), ("SSL_CERT_DIR", folders)].compactMap { name, value in
        value.map { (name, $0, "environment") }
      }
  }

  private var folders: String? {
    settings.certificateFolders.isEmpty ? nil : settings.certificateFolders.joined(separator: ":")
  }

  /// Where the value of a setting came from.
  package func origin(of name: String) -> SettingOrigin { origins[name] ?? .standard }

  /// - Parameter place: Where the value is, for the error.
  mutating func take(
    _ text: String?, for key: SettingKey, from origin: SettingOrigin, at place: String
  ) throws(SettingsError) {
    guard key.take(&settings, text) else {
      let shown = key.isSensitive ? "this" : text.map { "“\(PrintableText.escape($0, limit: 80))”" } ?? "null"
      throw SettingsError("\(place): \(shown) is not allowed for \(key.name)", hint: Self.hint(for: key, text))
    }
    origins[key.name] = origin
  }

  /// What is allowed and, for the two values that are parsed separately, what is wrong with this one.
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
