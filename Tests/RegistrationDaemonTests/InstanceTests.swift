import Foundation
import RegistrationDaemon
import Spool
import Testing

/// No instance works on the files of another.
@Suite struct InstanceTests {
  private func load(_ environment: [String: String], as instance: String?) throws -> (LoadedSettings, Instance) {
    let source = SettingsSource(file: "/dev/null", instance: instance, environment: environment)
    return (try source.load(), try source.instance)
  }

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "instance-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // Nothing is lost when a temporary folder stays behind.
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test(arguments: [
    ("acme", "/var/spool/keyreg", "the main instance"), ("acme", "/var/spool/keyreg-other", "the instance other"),
    ("acme", "/var/lib/keyreg/acme", "the main instance"), ("acme", "/data/keyreg-other", "the instance other"),
    (nil, "/var/spool/keyreg-acme", "the instance acme"), (nil, "/run/keyreg-acme/spool", "the instance acme"),
  ])
  func aFolderCalledAfterAnotherInstanceIsRefused(instance: String?, path: String, owner: String) throws {
    for variable in ["KEYREG_SPOOL", "KEYREG_STATE"] {
      let (loaded, instance) = try load([variable: path], as: instance)
      let error = #expect(throws: SettingsError.self) { try loaded.refuseForeign(for: instance) }
      #expect(error?.description.contains("\(path) belongs to \(owner)") == true)
      #expect(error?.description.contains("environment \(variable)") == true && error?.hint != nil)
    }
  }

  @Test(arguments: [
    (nil, "/etc/keyreg/acme.yaml", false), ("acme", "/etc/keyreg/keyreg.yaml", false),
    ("acme", "/etc/keyreg/beta.yaml", false), ("acme", "/etc/keyreg/acme.yaml", true),
    (nil, "/etc/keyreg/keyreg.yaml", true), (nil, "/srv/acme.yaml", true), ("acme", "/etc/keyreg/old/beta.yaml", true),
  ])
  func aConfigurationOfAnotherInstanceIsRefused(instance: String?, file: String, isOwn: Bool) throws {
    var (loaded, instance) = try load([:], as: instance)
    loaded.file = file
    if isOwn {
      try loaded.refuseForeign(for: instance)
    } else {
      let error = #expect(throws: SettingsError.self) { try loaded.refuseForeign(for: instance) }
      #expect(error?.description.contains(file) == true)
      instance = .main
    }
  }

  @Test(arguments: [
    ("acme", "/var/spool/keyreg-acme"), ("acme", "/srv/keyreg-acme"), ("acme", "/srv/acme"), ("acme", "/data/keyreg"),
    (nil, "/var/spool/keyreg"), (nil, "/tmp/keyreg-1234"), ("acme", "/tmp/keyreg-1234/spool"),
  ])
  func aFolderOfOnesOwnIsNot(instance: String?, path: String) throws {
    let (loaded, instance) = try load(["KEYREG_SPOOL": path, "KEYREG_STATE": path], as: instance)
    try loaded.refuseForeign(for: instance)
  }

  @Test func socketsAndCredentialsOfAnotherInstanceAreRefused() throws {
    let (socket, acme) = try load(["KEYREG_SOCKET": "/run/keyreg/control.sock"], as: "acme")
    #expect(throws: SettingsError.self) { try socket.refuseForeign([.socket], for: acme) }
    for (instance, name) in [("acme", "api-key"), ("acme", "other/api-key"), (nil, "acme/api-key")] {
      for setting in ["api.api_key_file", "api.app_key_file"] {
        let source = SettingsSource(
          file: "/dev/null", instance: instance, environment: [:], flags: [setting: "/etc/keyreg/credentials/\(name)"])
        #expect(throws: SettingsError.self) { try source.load().refuseForeign(for: source.instance) }
      }
    }
  }

  @Test(arguments: [
    ("acme", "/etc/keyreg/credentials/beta", false), ("acme", "/etc/keyreg/credentials/", false),
    (nil, "/etc/keyreg/credentials/beta", false), ("acme", "/run/credentials/keyreg@beta.service", false),
    ("acme", "/run/credentials/keyreg.service", false), (nil, "/run/credentials/keyreg@beta.service", false),
    ("acme", "/etc/keyreg/credentials/acme", true), (nil, "/etc/keyreg/credentials", true),
    ("acme", "/run/credentials/keyreg@acme.service", true), (nil, "/run/credentials/keyreg.service", true),
    ("acme", "/run/credentials/nightly.service", true), (nil, "/srv/secrets", true),
  ])
  func aCredentialsDirectoryOfAnotherInstanceIsRefused(instance: String?, folder: String, isOwn: Bool) throws {
    let (loaded, instance) = try load(["CREDENTIALS_DIRECTORY": folder], as: instance)
    if isOwn {
      try loaded.refuseForeign(for: instance)
    } else {
      let error = #expect(throws: SettingsError.self) { try loaded.refuseForeign(for: instance) }
      #expect(error?.description.contains("CREDENTIALS_DIRECTORY") == true && error?.hint != nil)
    }
    // Who only drops a list has no credentials.
    try loaded.refuseForeign([.spool], for: instance)
  }

  @Test func aLinkToAnotherInstancesFolderIsFollowed() throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/keyreg-other", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/mine", withDestinationPath: folder + "/keyreg-other")
      let (loaded, acme) = try load(["KEYREG_SPOOL": folder + "/mine"], as: "acme")
      #expect(throws: SettingsError.self) { try loaded.refuseForeign(for: acme) }
    }
  }

  @Test func aFolderIsItsFirstInstances() throws {
    try withFolder { folder in
      let stamp = InstanceStamp(folder: folder)
      let acme = try #require(Instance("acme"))
      // Nobody's yet.
      try stamp.check(for: acme)
      try stamp.check(for: .main)
      try stamp.leave(for: acme)
      try stamp.leave(for: acme)
      try stamp.check(for: acme)
      let error = #expect(throws: InstanceStamp.Refusal.self) { try stamp.leave(for: .main) }
      #expect(error?.description == "\(folder) belongs to the instance acme, not to the main instance")
    }
  }

  @Test func aStampThatAPowerCutLeftEmptyIsWrittenAnew() throws {
    try withFolder { folder in
      let path = "\(folder)/\(InstanceStamp.fileName)"
      try "".write(toFile: path, atomically: false, encoding: .utf8)
      try InstanceStamp(folder: folder).leave(for: .main)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "keyreg\n")
      try "no instance\n".write(toFile: path, atomically: false, encoding: .utf8)
      #expect(throws: InstanceStamp.Refusal.self) { try InstanceStamp(folder: folder).check(for: .main) }
    }
  }

  @Test(arguments: ["state_directory", "control.socket", "api.api_key_file", "api.ca_file"])
  func placesOfTheDaemonsOwnInAFolderOfTheSpoolAreRefused(name: String) throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/spool/incoming", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/link", withDestinationPath: folder + "/spool/incoming")
      func load(_ place: String) throws -> LoadedSettings {
        let flags = ["spool.directory": folder + "/spool", name: place]
        return try SettingsSource(file: "/dev/null", environment: [:], flags: flags).load()
      }
      for place in ["/spool/incoming", "/spool/reading/x", "/spool/done/x", "/link", "/link/x"] {
        let error = #expect(throws: SettingsError.self) { try load(folder + place).refuseSpool(for: .main) }
        #expect(error?.description.hasPrefix("\(name) (flag): \(folder)\(place) lies in") == true)
      }
      for place in ["/spool", "/spool/incoming-2/x", "/state"] {
        try load(folder + place).refuseSpool(for: .main)
      }
    }
  }

  /// Somebody may take the file with the process id for a leftover.
  @Test(arguments: [false, true]) func aSpoolIsServedByOneDaemon(isFileRemoved: Bool) throws {
    try withFolder { folder in
      let spool = SpoolDirectory(path: folder)
      try spool.prepare()
      do {
        let lock = try SpoolLock(spool: spool)
        if isFileRemoved { try FileManager.default.removeItem(atPath: folder + "/.keyreg-lock") }
        let refusal = #expect(throws: SpoolLock.Refusal.self) { try SpoolLock(spool: spool) }
        #expect(refusal?.isOwned == true)
        #expect(isFileRemoved || refusal?.description.contains("(pid \(getpid()))") == true)
        withExtendedLifetime(lock) {}
      }
      _ = try SpoolLock(spool: spool)
    }
  }
}
