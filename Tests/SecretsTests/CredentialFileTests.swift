import FoundationEssentials
import Glibc
import Secrets
import TestSupport
import Testing

struct CredentialFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(_ path: String, provided: String? = nil) throws -> Secret {
    try CredentialFile(path: path, credentialsDirectory: provided).read()
  }

  private func refusal(_ path: String, provided: String? = nil) throws -> CredentialError {
    try #require(throws: CredentialError.self) { try read(path, provided: provided) }
  }

  @Test(arguments: ["", "\n", "\r\n"]) func oneLineEndIsStripped(end: String) throws {
    let path = try folder.write("key", ("0123-~!" + end).utf8)
    #expect(try read(path).exposed == "0123-~!")
  }

  @Test(arguments: ["k\n\n", " k", "k ", "a b", "k\t", "k\r", "kéy", "k\0", "k\u{7f}", "\u{feff}k", "\"a\nb\""])
  func anythingButVisibleASCIIIsRefusedWithoutBeingQuoted(content: String) throws {
    let error = try refusal(folder.write("key", content.utf8))
    #expect(error.reason == .malformed)
    #expect(error.message.hasSuffix("that a key cannot have"))
  }

  @Test(arguments: [
    ("b7feea52-994e-4714-a100-1bd9eff5aee1", "a UUID"), ("\"abc\"", "in quotes"), ("'abc'", "in quotes"),
    ("ENC[x]", "encrypted"), ("${DD_APP_KEY}", "variable"), ("$DD_APP_KEY", "variable"), ("<your-key>", "placeholder"),
    ("{\n  \"key\": \"abc\"\n}\n", "JSON"), ("DD_API_KEY=abc\nDD_APP_KEY=def\n", "a file of variables"),
    ("“abc”", "in quotes"), ("`abc`", "in quotes"), ("YOUR_API_KEY_HERE", "placeholder"),
    ("__API_KEY__", "the name of a key"),
    ("DD_API_KEY", "the name of a key"), ("DD-APPLICATION-KEY", "the name of a key"),
    ("urn:uuid:b7feea52-994e-4714-a100-1bd9eff5aee1", "a UUID"), ("https://app.datadoghq.com/keys", "a URL"),
    ("****abcd", "only the end is shown"),
    ("<your key>", "placeholder"), ("DD_APP_KEY=abc", "NAME=value"), ("export DD_API_KEY=abc", "NAME=value"),
    ("api_key:abc", "NAME=value"), ("{\"key\": \"abc\"}", "JSON"), ("[\"abc\"]", "JSON"),
    ("changeme", "placeholder"), ("CHANGE_ME", "placeholder"), ("YOUR_APP_KEY", "placeholder"),
    ("xxxxxxxx", "placeholder"), ("<redacted>", "placeholder"), ("REDACTED", "placeholder"), ("@/run/abc", "a path"),
    ("pub0123456789abcdef0123456789abcdef", "client token"),
    ("********", "placeholder"), ("null", "placeholder"), ("%DD_APP_KEY%", "variable"), ("/run/secrets/abc", "a path"),
    ("ENC(abc)", "encrypted"), ("nil", "placeholder"), ("true", "placeholder"), ("abc;", "comma or semicolon"),
    ("0123456789abcdef0123456789abcdef,", "comma or semicolon"),
    ("b7feea52-994e-4714-a100-1bd9eff5aee1:b7feea52-994e-4714-a100-1bd9eff5aee1", "several keys"),
    ("00000000000000000000000000000000:0000000000000000000000000000000000000000", "several keys"),
    ("op://vault/abc", "a reference"), ("vault:secret/abc", "a reference"), ("Bearer abc", "Authorization"),
  ]) func whatCannotBeAKeyIsRefusedWithWhatItIs(content: String, form: String) throws {
    for text in [content, content + "\n"] {
      let error = try refusal(folder.write("key", text.utf8))
      #expect(error.reason == .malformed && error.message.contains(form))
      #expect(!error.hint.isEmpty && !"\(error.message) \(error.hint)".contains("abc"))
    }
  }

  @Test(arguments: [
    "0123456789abcdef0123456789abcdef", "ddapp_0123456789abcdefghijABCDEFGHIJ0123", "ddpat_abc", "test-api-key", "a=",
    "k==", "x", "AbC+/=", "xxx", "yourself", "nullify1", "a:b", "key=value-like-token==",
  ]) func whatMayBeAKeyIsTaken(key: String) throws {
    #expect(try read(folder.write("key", key.utf8)).exposed == key)
  }

  @Test(arguments: ["", "\n", "\r\n"]) func anEmptyFileIsRefused(content: String) throws {
    let error = try refusal(folder.write("key", content.utf8))
    #expect(error.reason == .malformed)
    #expect(error.message.hasSuffix("is empty"))
  }

  @Test func fourKiBAreReadAndNotOneByteMore() throws {
    let key = String(repeating: "k", count: 4096)
    #expect(try read(folder.write("largest", (key + "\r\n").utf8)).exposed == key)
    #expect(try refusal(folder.write("larger", (key + "k").utf8)).message.hasSuffix("longer than 4096 bytes"))
    #expect(try refusal(folder.write("large", repeatElement(0x6b, count: 1 << 20))).reason == .malformed)
  }

  @Test(arguments: [0o640, 0o604, 0o620, 0o602, 0o644, 0o660, 0o777] as [mode_t])
  func whatOthersCanReadOrWriteIsRefused(mode: mode_t) throws {
    let error = try refusal(folder.write("key", "secret-value".utf8, mode: mode))
    #expect(error.reason == .refused)
    #expect(error.message.contains("mode 0\(String(mode, radix: 8))"))
    #expect(error.hint == "chmod 600 \(folder.path("key"))")
  }

  @Test(arguments: [0o400, 0o600] as [mode_t]) func whatOnlyItsOwnerCanReadIsAccepted(mode: mode_t) throws {
    #expect(try read(folder.write("key", "k".utf8, mode: mode)).exposed == "k")
  }

  @Test func theCredentialsDirectoryMayGrantReadingByGroup() throws {
    let path = try folder.write("api-key", "k".utf8, mode: 0o440)
    #expect(try read(path, provided: folder.path).exposed == "k")
    #expect(try read(folder.path + "//./api-key", provided: folder.path + "/").exposed == "k")
    #expect(try refusal(path, provided: "/proc").reason == .refused)
    #expect(chmod(path, 0o444) == 0)
    #expect(try refusal(path, provided: folder.path).reason == .refused)
  }

  @Test func theExceptionDoesNotReachThroughALinkOrOutOfTheDirectory() throws {
    let outside = try folder.write("outside", "k".utf8, mode: 0o644)
    let provided = folder.path("provided")
    try FileManager.default.createDirectory(atPath: provided, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(atPath: provided + "/api-key", withDestinationPath: outside)
    #expect(try refusal(provided + "/api-key", provided: provided).message.hasSuffix("is a symbolic link"))
    #expect(try refusal(provided + "/../outside", provided: provided).reason == .refused)
  }

  @Test func aLinkIsFollowedAndItsTargetIsChecked() throws {
    try folder.write("private", "k".utf8)
    try folder.write("open", "k".utf8, mode: 0o644)
    try FileManager.default.createSymbolicLink(atPath: folder.path("one"), withDestinationPath: "private")
    try FileManager.default.createSymbolicLink(atPath: folder.path("two"), withDestinationPath: "open")
    #expect(try read(folder.path("one")).exposed == "k")
    #expect(try refusal(folder.path("two")).reason == .refused)
  }

  @Test func aFifoIsRefusedAtOnce() throws {
    #expect(mkfifo(folder.path("fifo"), 0o600) == 0)
    let error = try refusal(folder.path("fifo"))
    #expect(error.reason == .refused)
    #expect(error.message.hasSuffix("is not a regular file"))
  }

  @Test(arguments: ["", "/dev/null"]) func foldersAndDevicesAreRefused(path: String) throws {
    #expect(try refusal(path.isEmpty ? folder.path : path).message.hasSuffix("is not a regular file"))
  }

  @Test func aSocketIsRefused() throws {
    #expect(mknod(folder.path("socket"), S_IFSOCK | 0o600, 0) == 0)
    #expect(try refusal(folder.path("socket")).reason == .refused)
  }

  @Test func whatIsMissingSaysSo() throws {
    let error = try refusal(folder.path("none"))
    #expect(error.reason == .missing)
    #expect(error.message == "there is no file \(folder.path("none"))")
    #expect(try refusal(folder.write("file", "k".utf8) + "/none").reason == .missing)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give a file away"))
  func aForeignOwnerIsRefused() throws {
    let path = try folder.write("key", "k".utf8)
    #expect(chown(path, 12345, 12345) == 0)
    let error = try refusal(path)
    #expect(error.reason == .refused)
    #expect(error.message.contains("uid 12345"))
    // Root asks for the daemon, whose user has it.
    #expect(try CredentialFile(path: path, credentialsDirectory: nil).read(for: 12345).exposed == "k")
  }

  @Test func aFileThatMayNotBeOpenedIsUnreadable() async throws {
    let path = try folder.write("key", "k".utf8, mode: 0)
    #expect(chmod(folder.path, 0o755) == 0)
    await #expect(processExitsWith: .success) { [path = path as String] in
      // Root may read anything: be nobody for this one.
      #expect(geteuid() != 0 || seteuid(65534) == 0)
      let error = #expect(throws: CredentialError.self) {
        try CredentialFile(path: path, credentialsDirectory: nil).read()
      }
      #expect(error?.reason == .unreadable)
    }
  }

  @Test func aCredentialIsFoundByNameOnlyWhereThereIsOne() throws {
    try folder.write("api-key", "key\n".utf8, mode: 0o440)
    #expect(CredentialFile(named: "app-key", in: folder.path) == nil)
    #expect(CredentialFile(named: "api-key", in: nil) == nil)
    #expect(CredentialFile(named: "api-key", in: "") == nil)
    let found = try #require(CredentialFile(named: "api-key", in: folder.path))
    #expect(found.path == folder.path("api-key"))
    #expect(try found.read().exposed == "key")
  }

  @Test func aLoneLineEndStandsForNoCredential() throws {
    try folder.write("api-key", "\n".utf8, mode: 0o440)
    #expect(CredentialFile(named: "api-key", in: folder.path) == nil)
  }

  @Test func anEmptyFileIsAMistake() throws {
    try folder.write("api-key", "".utf8, mode: 0o440)
    let file = try #require(CredentialFile(named: "api-key", in: folder.path))
    let error = try #require(throws: CredentialError.self) { try file.read() }
    #expect(error.reason == .malformed && error.message.hasSuffix("is empty"))
  }

  @Test func anErrorShowsAHostilePathOnOneLine() throws {
    let error = try refusal(folder.path("a\nkeyreg: error: forged"))
    #expect(!error.message.contains("\n"))
    #expect(error.message.contains("\\u{a}"))
  }
}
