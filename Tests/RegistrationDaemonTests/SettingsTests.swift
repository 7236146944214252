import Foundation
import Glibc
import RateLimit
import RegistrationDaemon
import TestSupport
import Testing

@Suite struct SettingsTests {
  private func load(
    _ yaml: String, environment: [String: String] = [:], flags: [String: String] = [:]
  ) throws -> LoadedSettings {
    let path = FileManager.default.temporaryDirectory.appending(path: "keyreg-\(UUID().uuidString).yaml").path
    try yaml.write(toFile: path, atomically: true, encoding: .utf8)
    // Nothing is lost when a temporary file stays behind.
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try SettingsSource(file: path, environment: environment, flags: flags).load()
  }

  private static let documented = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../config/keyreg.yaml")

  @Test(arguments: [nil, "acme"]) func theShippedConfigurationChangesNothing(instance: String?) throws {
    let source = SettingsSource(file: Self.documented.path, instance: instance, environment: [:])
    let loaded = try source.load()
    #expect(try loaded.settings == Settings(instance: source.instance))
    try loaded.refuseForeign(for: source.instance)
  }

  @Test func theShippedConfigurationShowsEverySettingWithItsDefault() throws {
    let text = try String(contentsOf: Self.documented, encoding: .utf8)
    // A commented setting is a name, a colon and a value without a space in it.
    let uncommented = text.replacing(/(?m)^( *)# ([a-z_]+: [^ ]+)$/) { "\($0.1)\($0.2)" }
    let loaded = try load(uncommented)
    #expect(loaded.settings == Settings())
    #expect(loaded.effective.filter { $0.origin == "default" }.isEmpty)
  }

  @Test func everyKindOfValueIsRead() throws {
    let settings = try load(
      """
      site: app.datadoghq.eu
      workers: 64
      rate_limit: { reserve: 0.25, assume: 400/1h }
      retry:
        first_delay: 250ms
      spool:
        max_file_size: 64KiB
        keep: 90d
      control:
        mode: "0600"
        listen: 127.0.0.1:9464
      api:
        proxy: http://proxy.example:3128
      """
    ).settings
    #expect(settings.endpoint.base == "https://api.datadoghq.eu")
    #expect(settings.workers == 64 && settings.reserve == .share(0.25))
    #expect(settings.assume == Allowance(count: 400, period: 3_600))
    #expect(settings.firstDelay == 250 && settings.maxFileSize == 65_536 && settings.keep == 90 * 86_400_000)
    #expect(settings.socketMode == 0o600 && settings.listen == "127.0.0.1:9464")
  }

  @Test(arguments: [
    ("workers: 0", ":1:10: “0” is not allowed for workers"), ("workers: \"16\"", ":1:10: workers is a number"),
    ("workers: [1]", ":1:10: workers takes a single value"), ("api: 3", ":1:6: api is a section"),
    ("retry:\n  max_atempts: 3", ":2:3: unknown setting “retry.max_atempts”"),
    ("stop_timeout: 30", ":1:15: “30” is not allowed for stop_timeout"),
    ("workers: 1\nworkers: 2", ":2:1: a setting appears twice: workers"),
    ("log:\n  level: info\n  format: text\n  level: debug\n", ":4:3: a setting appears twice: level"),
    ("log: { level: info, level: debug }", ":1:21: a setting appears twice"), ("workers: 1\n# \0\n", ":2:3: a NUL"),
    ("workers: 1\n#\u{c}\u{b}\0\n", ":2:4: a NUL"),
    ("\u{feff}worker: 1", ":1:1: unknown setting “worker”"), ("api:\n  proxy: http://", ":2:10: this is not allowed"),
    ("api: { proxy: \"http://p:99999\" }", "api.proxy"), ("api: { proxy: \"ftp://p:1\" }", "api.proxy"),
    ("a: b: c", "not valid YAML"), ("- a", "not a mapping"),
    ("site: datadoghq.cm", "“datadoghq.cm” is not allowed for site"),
    ("api:\n  url: http://example.org", ":2:8: this is not allowed for api.url"),
    ("spool:\n  directory: spool", ":2:14: “spool” is not allowed"), ("control: { mode: \"0070\" }", "control.mode"),
    ("control: { listen: \"0.0.0.0:1\" }", "control.listen"), ("rate_limit: { reserve: 0.95 }", "rate_limit.reserve"),
    ("log: { level: loud }", "log.level"), ("workers: null", "null is not allowed for workers"),
  ])
  func mistakesNamePlaceAndRemedy(yaml: String, message: String) throws {
    let error = try #require(throws: SettingsError.self) { try load(yaml) }
    #expect(error.description.contains(message), "\(error)")
  }

  @Test func aConfigurationThatNeverEndsIsRefused() throws {
    let folder = try TemporaryFolder()
    try #require(mkfifo(folder.path("pipe"), 0o600) == 0)
    for file in [folder.path("pipe"), "/dev/zero", folder.path] {
      let error = #expect(throws: SettingsError.self) { try SettingsSource(file: file, environment: [:]).load() }
      #expect(error?.description.contains(file) == true)
    }
  }

  @Test func flagsBeatTheEnvironmentWhichBeatsTheFile() throws {
    let yaml = "spool:\n  directory: /from/file\nlog:\n  level: error\n"
    #expect(try load(yaml).settings.spoolDirectory == "/from/file")
    let environment = ["KEYREG_SPOOL": "/from/environment", "KEYREG_LOG": ""]
    #expect(try load(yaml, environment: environment).settings.spoolDirectory == "/from/environment")
    #expect(try load(yaml, environment: environment).settings.logLevel == .error)
    let flagged = try load(yaml, environment: environment, flags: ["spool.directory": "/from/flag"])
    #expect(flagged.settings.spoolDirectory == "/from/flag")
    #expect(flagged.effective.first { $0.name == "spool.directory" }?.origin == "flag")
  }

  @Test func anInstanceHasItsOwnPlaces() throws {
    let settings = try SettingsSource(instance: "acme", environment: [:]).load().settings
    #expect(settings.spoolDirectory == "/var/spool/keyreg-acme" && settings.stateDirectory == "/var/lib/keyreg-acme")
    #expect(settings.socket == "/run/keyreg-acme/control.sock")
    #expect(settings.apiKeyFile == "/etc/keyreg/credentials/acme/api-key")
    #expect(settings.appKeyFile == "/etc/keyreg/credentials/acme/app-key")
    for name in ["../x", "a/b", ".a", "-a", "a b", "é", "keyreg"] {
      #expect(throws: SettingsError.self) { try SettingsSource(instance: name, environment: [:]).load() }
    }
  }

  @Test func whatSystemdOffersRanksBelowTheFile() throws {
    let offered = ["STATE_DIRECTORY": "/offered/state:/other", "RUNTIME_DIRECTORY": "/offered/run"]
    let settings = try load("workers: 3\n", environment: offered).settings
    #expect(settings.stateDirectory == "/offered/state" && settings.socket == "/offered/run/control.sock")
    let yaml = "state_directory: /from/file\ncontrol: { socket: /from/file.sock }\n"
    let own = try load(yaml, environment: offered).settings
    #expect(own.stateDirectory == "/from/file" && own.socket == "/from/file.sock")
    let chosen = offered.merging(["KEYREG_STATE": "/chosen", "KEYREG_SOCKET": "/chosen.sock"]) { $1 }
    let settled = try load(yaml, environment: chosen).settings
    #expect(settled.stateDirectory == "/chosen" && settled.socket == "/chosen.sock")
  }
}
