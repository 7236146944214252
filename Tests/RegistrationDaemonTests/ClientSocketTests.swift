import Foundation
import RegistrationDaemon
import TestSupport
import Testing

/// Where a command looks for the daemon.
@Suite struct ClientSocketTests {
  private func path(_ yaml: String, isAnswering: Bool) throws -> String {
    let folder = try TemporaryFolder()
    let file = folder.path("keyreg.yaml")
    try yaml.write(toFile: file, atomically: true, encoding: .utf8)
    var asked: [String] = []
    defer { #expect(asked.allSatisfy { $0 == "/run/keyreg/control.sock" }) }
    return try ClientSocket.path(SettingsSource(file: file, environment: [:])) { socket in
      asked.append(socket)
      return isAnswering
    }
  }

  @Test func theConfigurationNamesIt() throws {
    #expect(try path("control: { socket: /tmp/x.sock }\n", isAnswering: false) == "/tmp/x.sock")
  }

  @Test func withABrokenConfigurationTheUsualOneIsUsedIfTheDaemonIsThere() throws {
    #expect(try path("control: { socket: /tmp/x.sock }\nbad\n", isAnswering: true) == "/run/keyreg/control.sock")
  }

  @Test func withABrokenConfigurationNobodySaysThatTheDaemonIsNotRunning() throws {
    let error = try #require(throws: SettingsError.self) {
      try path("control: { socket: /tmp/x.sock }\nworker: 3\n", isAnswering: false)
    }
    #expect(error.description.contains("keyreg.yaml:2:1: unknown setting") && !error.isDenied)
    #expect(error.hint?.contains("nothing listens on /run/keyreg/control.sock") == true)
    #expect(error.hint?.contains("--socket") == true)
  }
}
