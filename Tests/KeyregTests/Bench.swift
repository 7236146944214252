import ControlAPI
import Foundation
import Registration
import SandboxAPI
import Testing

/// A test environment: a folder, a sandbox API in this process, and the real binary in a process of its own.
final class Bench {
  let folder: URL
  let sandbox: Sandbox
  let port: Int
  /// Daemons, and commands that run on.
  private var daemons: [Process] = []
  /// The command that runs every command.
  private var prefix: [String] = []
  /// Extra environment of every command; nil removes a variable.
  var environment: [String: String?] = [:]

  /// A period of at most an hour whose present window does not end within a minute. One in 35 hours, all three do.
  static var longPeriod: String {
    let minute = Timestamp.now().milliseconds / 60_000
    return [60, 50, 35].first { minute % $0 < $0 - 1 }.map { "\($0)m" } ?? "59m"
  }

  /// `limit` as `keyreg sandbox` takes it.
  init(limit: String = "100000/10s", faults: String = "", latency: Duration = .milliseconds(1)) throws {
    // Short, since a socket's path has at most 107 bytes.
    folder = URL(filePath: "/tmp/keyreg-\(UInt32.random(in: 0 ... .max))")
    // A spool as tmpfiles.d creates it, so that lists can be submitted before the first start.
    try FileManager.default.createDirectory(
      at: folder.appending(path: "spool/incoming"), withIntermediateDirectories: true)
    var configuration = SandboxConfiguration(limit: try Quota(parsing: limit))
    configuration.faults = try FaultPlan(parsing: faults)
    configuration.latency = latency
    configuration.journal = folder.appending(path: "journal").path
    sandbox = try Sandbox(configuration)
    port = try sandbox.start()
    try configure("retry:\n  first_delay: 20ms\n  max_delay: 200ms\n")
  }

  deinit {
    for daemon in daemons where daemon.isRunning {
      kill(daemon.processIdentifier, SIGKILL)
      daemon.waitUntilExit()
    }
    sandbox.stop()
    // Nothing is lost when a temporary folder stays behind.
    try? FileManager.default.removeItem(at: folder)
  }

  var socket: String { path("c.sock") }
  func path(_ name: String) -> String { folder.appending(path: name).path }
  func spool(_ name: String) -> String { path("spool/" + name) }

  /// Lists that were dropped before the daemon started are taken soon, so that tests do not wait for that. This comes
  /// last, so that the lines of `yaml` keep their numbers.
  func configure(_ yaml: String) throws {
    try (yaml + "spool:\n  settle: 100ms\n").write(toFile: path("keyreg.yaml"), atomically: true, encoding: .utf8)
  }

  // MARK: - Commands

  struct Outcome {
    var code: Int32
    var output: String
    var errors: String
  }

  private static let binary: String = {
    let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    return ProcessInfo.processInfo.environment["KEYREG_BINARY"] ?? folder.appending(path: "keyreg").path
  }()

  private func process(_ arguments: [String]) -> Process {
    let process = Process()
    let words = prefix + [Self.binary] + arguments
    process.executableURL = URL(filePath: words[0])
    process.arguments = Array(words.dropFirst())
    var variables = [
      "PATH": "/usr/bin:/bin", "DD_API_KEY": "test-api-key", "DD_APP_KEY": "test-app-key",
      "KEYREG_API_URL": "http://127.0.0.1:\(port)", "KEYREG_SPOOL": path("spool"), "KEYREG_STATE": path("state"),
      "KEYREG_SOCKET": socket,
    ]
    // The sanitizer's options apply to the daemons too: it takes the side tables of weak references for leaks.
    variables["ASAN_OPTIONS"] = ProcessInfo.processInfo.environment["ASAN_OPTIONS"]
    for (name, value) in environment { variables[name] = value }
    process.environment = variables
    return process
  }

  /// Runs a command to its end.
  @discardableResult
  func run(_ arguments: String..., input: String? = nil) throws -> Outcome { try run(arguments, input: input) }

  @discardableResult
  func run(_ arguments: [String], input: String? = nil) throws -> Outcome {
    let process = process(arguments)
    let output = try scratch()
    let errors = try scratch()
    process.standardOutput = output
    process.standardError = errors
    if let input {
      let pipe = Pipe()
      process.standardInput = pipe
      try process.run()
      try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
      try pipe.fileHandleForWriting.close()
    } else {
      process.standardInput = FileHandle.nullDevice
      try process.run()
    }
    process.waitUntilExit()
    return Outcome(code: process.terminationStatus, output: try text(of: output), errors: try text(of: errors))
  }

  /// Starts a command that is to run on.
  func follow(_ arguments: String...) throws -> FollowedCommand {
    let process = process(arguments)
    let output = Pipe()
    let errors = try scratch()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    daemons.append(process)
    return FollowedCommand(process: process, output: output.fileHandleForReading) { [self] in try text(of: errors) }
  }

  /// An unnamed file: unlike a pipe it never fills up.
  private func scratch() throws -> FileHandle {
    let name = path(".scratch-\(UInt32.random(in: 0 ... .max))")
    _ = FileManager.default.createFile(atPath: name, contents: nil)
    let handle = try FileHandle(forUpdating: URL(filePath: name))
    return handle
  }

  private func text(of handle: FileHandle) throws -> String {
    try handle.seek(toOffset: 0)
    return String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
  }

  // MARK: - The daemon

  /// Starts the daemon and returns when its socket answers.
  @discardableResult
  func start(_ arguments: String...) throws -> Process {
    let daemon = try launch(["run", "--config", path("keyreg.yaml")] + arguments)
    while daemon.isRunning {
      if let status = try? client.status(), status.pid == Int(daemon.processIdentifier) { break }
      // Each attempt connects to a socket that does not exist yet, and fails at once.
      sched_yield()
    }
    try #require(daemon.isRunning, "the daemon ended: \(log)")
    return daemon
  }

  /// Starts the daemon without waiting for anything.
  func launch(_ arguments: [String]) throws -> Process {
    let daemon = process(arguments)
    let log = path("daemon.log")
    if !FileManager.default.fileExists(atPath: log) { _ = FileManager.default.createFile(atPath: log, contents: nil) }
    let handle = try FileHandle(forWritingTo: URL(filePath: log))
    try handle.seekToEnd()
    daemon.standardError = handle
    daemon.standardOutput = handle
    daemon.standardInput = FileHandle.nullDevice
    try daemon.run()
    daemons.append(daemon)
    return daemon
  }

  /// Stops the daemon as systemd does. It must end by itself, successfully.
  func stop(_ daemon: Process, sourceLocation: SourceLocation = #_sourceLocation) {
    kill(daemon.processIdentifier, SIGTERM)
    daemon.waitUntilExit()
    #expect(
      daemon.terminationReason == .exit && daemon.terminationStatus == 0, "\(log)", sourceLocation: sourceLocation)
  }

  func murder(_ daemon: Process) {
    kill(daemon.processIdentifier, SIGKILL)
    daemon.waitUntilExit()
  }

  /// Runs the daemon until everything is done.
  func runUntilDone() throws -> Int32 {
    let daemon = try launch(["run", "--config", path("keyreg.yaml"), "--until-done"])
    daemon.waitUntilExit()
    return daemon.terminationStatus
  }

  var log: String { (try? String(contentsOfFile: path("daemon.log"), encoding: .utf8)) ?? "" }

  var client: ControlClient { ControlClient(socket: socket) }

  /// Follows the event stream until a status matches, and returns it.
  @discardableResult
  func await(_ fits: @escaping (StatusDocument) -> Bool) throws -> StatusDocument {
    var found: StatusDocument?
    try client.events { status in
      #expect(
        status.keys.total == status.keys.pending + status.keys.inFlight + status.keys.retrying
          + status.keys.registered + status.keys.failed + status.keys.cancelled)
      if fits(status) { found = status }
      return found == nil
    }
    return try #require(found, "the daemon ended: \(log)")
  }

  // MARK: - Lists

  /// Drops by rename, as the contract requires.
  func drop(_ content: String, as name: String) throws {
    try content.write(toFile: spool("incoming/.\(name)"), atomically: false, encoding: .utf8)
    try #require(rename(spool("incoming/.\(name)"), spool("incoming/\(name)")) == 0)
  }

  /// The same, by a writer that still has the file open.
  func dropOpen(_ content: String, as name: String) throws -> FileHandle {
    let descriptor = open(spool("incoming/.\(name)"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    try #require(descriptor >= 0)
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try handle.write(contentsOf: Data(content.utf8))
    try #require(rename(spool("incoming/.\(name)"), spool("incoming/\(name)")) == 0)
    return handle
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: spool(name)) }

  /// Every command may open that many files from now on, the system's own limit included.
  func limitFiles(to count: Int) {
    prefix = ["/bin/sh", "-c", "ulimit -n \(count); exec \"$0\" \"$@\""]
  }

  /// From now on daemons run as a user that owns only the spool and the state directory; needs root.
  func runAsNobody() throws {
    let nobody = try #require(getpwnam("nobody")).pointee
    prefix = [
      "/usr/bin/setpriv", "--reuid=\(nobody.pw_uid)", "--regid=\(nobody.pw_gid)", "--clear-groups",
    ]
    for place in ["state", "spool", "spool/incoming"] {
      try FileManager.default.createDirectory(atPath: path(place), withIntermediateDirectories: true)
      try #require(chown(path(place), nobody.pw_uid, nobody.pw_gid) == 0)
    }
    try #require(chown(folder.path, nobody.pw_uid, nobody.pw_gid) == 0)
  }

  func results(_ list: String) throws -> [String] {
    try String(contentsOfFile: spool("results/\(list).csv"), encoding: .utf8)
      .split(separator: "\n").dropFirst().map(String.init)
  }

  func receipt(_ list: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(filePath: spool("done/\(list).receipt.json")))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  func names(in place: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: spool(place)).sorted()
  }

  struct Request: Decodable {
    var method: String
    var path: String
    var status: Int

    var key: String { String(path.suffix(36)) }
  }

  /// What the sandbox saw, in order.
  func journal() throws -> [Request] {
    try String(contentsOfFile: path("journal"), encoding: .utf8).split(separator: "\n")
      .map { try JSONDecoder().decode(Request.self, from: Data($0.utf8)) }
  }
}

/// `count` random ids.
func randomKeys(_ count: Int) -> [String] {
  (0..<count).map { _ in AppKeyID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)).description }
}

func lines(_ keys: some Sequence<String>) -> String { keys.map { $0 + "\n" }.joined() }
