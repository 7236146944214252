import Testing

@testable import RegistrationDaemon

/// What a reload tells the operator.
@Suite struct SettingsInForceTests {
  private static func load(_ flags: [String: String]) throws -> LoadedSettings {
    try SettingsSource(file: "/dev/null", environment: [:], flags: flags).load()
  }

  private static func credentials(apiKey: String) -> CredentialSource {
    CredentialSource(environment: ["DD_API_KEY": apiKey, "DD_APP_KEY": "app-key"])
  }

  @Test func aReloadNamesWhatChangedSinceTheLastOne() throws {
    let first = try Self.load([:])
    let credentials = try Self.credentials(apiKey: "one").load(first.settings)
    let settings = SettingsInForce(first, credentials)
    let unchanged = settings.replace(by: first, credentials)
    #expect(unchanged.changed == [] && unchanged.needsRestart == [])
    let second = try Self.load(["workers": "3"])
    let others = try Self.credentials(apiKey: "two").load(second.settings)
    let change = settings.replace(by: second, others)
    #expect(change.changed == ["workers", "credentials"] && change.needsRestart == [])
    #expect(settings.current.workers == 3)
    #expect(settings.replace(by: second, others).changed == [])
  }

  @Test(arguments: [
    ("api.proxy", "http://user:one@proxy.example:3128", "http://user:two@proxy.example:3128"),
    ("notify.url", "https://hooks.example/one", "https://hooks.example/two"),
  ])
  func aSecretPartThatChangesIsAChange(name: String, before: String, after: String) throws {
    let (first, second) = (try Self.load([name: before]), try Self.load([name: after]))
    let credentials = try Self.credentials(apiKey: "one").load(first.settings)
    let settings = SettingsInForce(first, credentials)
    #expect(settings.replace(by: first, credentials).changed == [])
    #expect(settings.replace(by: second, credentials).changed == [name])
  }

  @Test func aSettingThatNeedsARestartIsNamedUntilItIsTheOldOneAgain() throws {
    let first = try Self.load([:])
    let credentials = try Self.credentials(apiKey: "one").load(first.settings)
    let settings = SettingsInForce(first, credentials)
    let moved = try Self.load(["spool.directory": "/elsewhere"])
    let move = settings.replace(by: moved, credentials)
    #expect(move.changed == ["spool.directory"] && move.needsRestart == ["spool.directory"])
    let later = settings.replace(by: moved, credentials)
    #expect(later.changed == [] && later.needsRestart == ["spool.directory"])
    let back = settings.replace(by: first, credentials)
    #expect(back.changed == ["spool.directory"] && back.needsRestart == [])
  }
}
