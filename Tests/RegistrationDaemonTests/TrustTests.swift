import Foundation
import RegistrationAPI
import Secrets
import Testing

@testable import RegistrationDaemon

/// Trust roots, proxies and credentials as the environment gives them.
@Suite final class TrustTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "keyreg-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  private func write(_ name: String, _ text: String) throws -> String {
    let file = folder.appending(path: name)
    try text.write(to: file, atomically: true, encoding: .utf8)
    return file.path
  }

  private func load(_ environment: [String: String], flags: [String: String] = [:]) throws -> LoadedSettings {
    try SettingsSource(file: "/dev/null", environment: environment, flags: flags).load()
  }

  @Test func trustRootsOfTheEnvironmentComeBesideThoseOfTheConfiguration() throws {
    let (one, other) = (try write("one.pem", certificate), try write("other.pem", "# CA\n" + certificate + certificate))
    _ = try write("0123abcd.0", certificate)
    let loaded = try load(
      ["SSL_CERT_FILE": one, "SSL_CERT_DIR": "/etc/../\(folder.path):\(folder.path)"], flags: ["api.ca_file": other])
    try loaded.validate()
    let credentials = Credentials(apiKey: try Secret("a".utf8, from: "x"), appKey: try Secret("b".utf8, from: "x"))
    let route = loaded.settings.api(credentials).route
    #expect(route.caFiles == [other, one] && route.caFolders == ["/etc/../\(folder.path)", folder.path])
    #expect(loaded.effective.contains { $0.name == "SSL_CERT_FILE" && $0.value == one })
  }

  @Test(arguments: [
    ("", "is empty"), ("junk\n", "contains no certificate"),
    ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "its certificate 1 is damaged"),
    (certificate + certificate.dropLast(200), "its certificate 2 is damaged"),
  ])
  func aFileThatCannotBeUsedIsRefusedAtTheStart(content: String, problem: String) throws {
    let path = try write("ca.pem", content)
    for loaded in [try load(["SSL_CERT_FILE": path]), try load([:], flags: ["api.ca_file": path])] {
      let error = try #require(throws: SettingsError.self) { try loaded.validate() }
      #expect(error.description.hasSuffix(problem), "\(error)")
    }
  }

  @Test func whatIsMissingOrNotNamedByHashIsRefusedToo() throws {
    for environment in [
      ["SSL_CERT_FILE": folder.path("none")], ["SSL_CERT_DIR": folder.path("none")], ["SSL_CERT_DIR": folder.path],
      ["SSL_CERT_FILE": folder.path],
    ] {
      let loaded = try load(environment)
      #expect(throws: SettingsError.self) { try loaded.validate() }
    }
  }

  @Test(
    arguments: [
      ([:], nil, "null", "default"),
      (["HTTPS_PROXY": "http://u:secret@p:1"], nil, "http://(redacted)@p:1", "environment HTTPS_PROXY"),
      (["HTTPS_PROXY": "http://p:1", "https_proxy": "http://q:1"], nil, "http://q:1", "environment https_proxy"),
      (["ALL_PROXY": "http://p:1", "NO_PROXY": "example.org"], nil, "http://p:1", "environment ALL_PROXY"),
      (
        ["HTTPS_PROXY": "http://p:1", "NO_PROXY": "a, .datadoghq.com"], nil, "null",
        "environment NO_PROXY, which has api.datadoghq.com"
      ),
      (
        ["HTTPS_PROXY": "http://p:1", "no_proxy": "*"], nil, "null", "environment no_proxy, which has api.datadoghq.com"
      ),
      (
        ["HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8", "KEYREG_API_URL": "https://10.1.2.3"], nil, "null",
        "environment NO_PROXY, which has 10.1.2.3"
      ),
      (
        ["HTTPS_PROXY": "http://p:1", "NO_PROXY": "2.3,10.1.3.0/24,.3", "KEYREG_API_URL": "https://10.1.2.3"], nil,
        "http://p:1", "environment HTTPS_PROXY"
      ),
      (
        ["HTTPS_PROXY": "http://p:1", "NO_PROXY": "fd00::/8", "KEYREG_API_URL": "https://[fd12::1]"], nil, "null",
        "environment NO_PROXY, which has fd12::1"
      ),
      (["NO_PROXY": "*"], "http://p:1", "http://p:1", "flag, which overrides NO_PROXY"),
      (["KEYREG_API_URL": "http://127.0.0.1:1"], "http://p:1", "null", "flag does not apply to http://"),
      (["KEYREG_API_URL": "http://127.0.0.1:1", "HTTPS_PROXY": "http://p:1"], nil, "null", "default"),
    ] as [([String: String], String?, String, String)])
  func theProxyInForceIsShownWithTheReason(
    environment: [String: String], proxy: String?, value: String, origin: String
  ) throws {
    let loaded = try load(environment, flags: proxy.map { ["api.proxy": $0] } ?? [:])
    let shown = try #require(loaded.effective.first { $0.name == "api.proxy" })
    #expect(shown.value == value && shown.origin == origin, "\(shown)")
  }

  @Test(arguments: [
    ("ftp://p", false), ("http://", false), ("http://p:99999", false), ("p:abc", false), ("PROXY p:3128", false),
    ("http://[::1", false), ("p", true), ("p:3128", true), ("http://u:p@ss/w@p:3128/", true),
    ("SOCKS5h://[::1]:1", true),
    ("", true),
  ])
  func aVariableThatIsNoProxyIsRefusedWhereItIsInForce(value: String, isUsable: Bool) throws {
    func isAccepted(_ more: [String: String] = [:], flags: [String: String] = [:]) throws -> Bool {
      let environment = ["HTTPS_PROXY": value, "KEYREG_SOCKET": folder.path("s")].merging(more) { $1 }
      do {
        try load(environment, flags: flags).validate()
        return true
      } catch let error as SettingsError {
        #expect(error.description.hasPrefix("environment HTTPS_PROXY: "))
        return false
      }
    }
    #expect(try isAccepted() == isUsable)
    #expect(try isAccepted(["NO_PROXY": "*"]))
    #expect(try isAccepted(flags: ["api.proxy": "http://p:1"]))
  }

  private func credentials(_ api: String?, _ app: String) throws -> Credentials {
    var environment = ["DD_APP_KEY": app]
    environment["DD_API_KEY"] = api
    var settings = Settings()
    (settings.apiKeyFile, settings.appKeyFile) = (folder.path("api-key"), folder.path("app-key"))
    return try CredentialSource(environment: environment).load(settings)
  }

  @Test(arguments: ["ddpat_abc", "ddsat_abc"]) func besideATokenNoAPIKeyIsNeeded(token: String) throws {
    for api in [nil, "key", "ENC[x]"] {
      let found = try credentials(api, token)
      #expect(found.apiKey == nil && found.appKey.exposed == token)
    }
    #expect(throws: CredentialError.self) { try credentials(token, "key") }
    #expect(throws: CredentialError.self) { try credentials(nil, "key") }
  }

  @Test func theTwoKeysInEachOthersPlaceAreRefused() throws {
    let (api, app) = (String(repeating: "a", count: 32), String(repeating: "b", count: 40))
    let error = try #require(throws: CredentialError.self) { try credentials(app, api) }
    #expect(error.message.hasPrefix("the API key and the application key are in each other's place"))
    #expect(!error.message.contains(api) && !error.message.contains(app))
    #expect(throws: CredentialError.self) { try credentials(api, api) }
    #expect(try credentials(api, app).apiKey?.exposed == api)
    let other = try #require(throws: CredentialError.self) { try credentials("key", api) }
    #expect(other.message.contains("looks like an API key") && !other.message.contains(api))
    let third = try #require(throws: CredentialError.self) { try credentials("ddapp_abc", app) }
    #expect(third.message.contains("is an application key") && !third.message.contains("abc"))
  }
}

extension URL {
  fileprivate func path(_ name: String) -> String { appending(path: name).path }
}

private let certificate = """
  -----BEGIN CERTIFICATE-----
  MIIBgzCCASmgAwIBAgIUKWUCVjSIGtg1FzHiJNycuep2nZMwCgYIKoZIzj0EAwIw
  FjEUMBIGA1UEAwwLa2V5cmVnLXRlc3QwIBcNMjYxMTMwMDI1MTAxWhgPMjEyNjEx
  MDYwMjUxMDFaMBYxFDASBgNVBAMMC2tleXJlZy10ZXN0MFkwEwYHKoZIzj0CAQYI
  KoZIzj0DAQcDQgAEy4MmH/mTRz8EcQ6vM8bTvRlG+cAbipz6s3aU/UypjnumPXg0
  0iO8z/VzeG4B3A3MmkA6+/MaLmko/xjvzgfqf6NTMFEwHQYDVR0OBBYEFKNH9zHw
  cSSZ6fPgNjiJzNHNEf1MMB8GA1UdIwQYMBaAFKNH9zHwcSSZ6fPgNjiJzNHNEf1M
  MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAMbANCPyD4+5J3SU
  nzhcBSoWlJG6VafdobMasAHQv2F1AiBglAMZzI/l4Y4uc6/StTKH5mdZU2z9zBvh
  4tLbykNADw==
  -----END CERTIFICATE-----


  """
