import ArgumentParser
import ControlAPI
import Dispatch
import Foundation
import Glibc
import Journal
import Registration
import RegistrationDaemon
import SandboxAPI
import Synchronization
import Systemd

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Run the whole job against an embedded sandbox, from spool to results, in a temporary folder.",
    discussion: "Needs no account, and changes nothing on this machine outside that folder, which is kept.")

  @Option(help: "How many keys.")
  var keys = 400

  @Option(help: "The sandbox's rate limit, as REQUESTS/PERIOD.")
  var limit = "100/4s"

  func validate() throws {
    guard (1...10_000_000).contains(keys) else { throw ValidationError("--keys must be from 1 to 10000000") }
  }

  func run() throws {
    let place = try DemoFolder()
    var configuration = SandboxConfiguration(limit: try Quota(parsing: limit))
    configuration.latency = .milliseconds(20)
    // A few answers are errors, to show how they are handled.
    configuration.faults = try FaultPlan(parsing: "500:1%")
    configuration.journal = place.path("requests.jsonl")
    let sandbox = try Sandbox(configuration)
    let port = try sandbox.start()
    defer { sandbox.stop() }
    try place.writeList(count: keys)
    StandardError.write(
      """
      A sandbox API listens on http://127.0.0.1:\(port) and allows \(limit) requests.
      A list of \(keys.counted("key")) is in \(place.path("spool/incoming/demo.txt")).
      Starting the daemon: keyreg run --until-done


      """)
    let ending = try serve(place, port: port)
    try summarise(place, ending)
    if case .done(let balance) = ending, balance.failed > 0 { throw ExitCode(Exit.someFailed.rawValue) }
  }

  /// Runs the daemon on another thread and shows its progress on this one.
  private func serve(_ place: DemoFolder, port: Int) throws -> Daemon.Ending {
    let environment = [
      "DD_API_KEY": "demo-api-key", "DD_APP_KEY": "demo-application-key",
      "KEYREG_API_URL": "http://127.0.0.1:\(port)", "KEYREG_SPOOL": place.path("spool"),
      "KEYREG_STATE": place.path("state"), "KEYREG_SOCKET": place.path("control.sock"),
    ]
    let source = SettingsSource(file: try place.configuration(), environment: environment)
    let log = open(place.path("daemon.log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else { throw Failure(.inputOutput, "cannot write \(place.path("daemon.log"))") }
    defer { close(log) }
    var options = Daemon.Options(version: Keyreg.version)
    options.untilDone = true
    let daemon = try Daemon(
      source: source, loaded: try source.load(), options: options,
      output: LogOutput(format: .text, level: .info, descriptor: log), notifier: ServiceNotifier(socketName: nil))
    let result = Mutex<Result<Daemon.Ending, any Error>?>(nil)
    let finished = DispatchSemaphore(value: 0)
    DispatchQueue(label: "keyreg.demo").async { @Sendable in
      let ending = Result { try daemon.run() }
      result.withLock { $0 = ending }
      finished.signal()
    }
    let screen = Screen()
    while finished.wait(timeout: .now() + screen.interval) == .timedOut { try screen.show(daemon.status()) }
    try screen.show(daemon.status())
    return try result.withLock { $0 }?.get() ?? .stopped
  }

  private func summarise(_ place: DemoFolder, _ ending: Daemon.Ending) throws {
    switch ending {
    case .broken(let error): throw error
    case .refused(let error): throw error
    case .stopped:
      throw Failure(
        .tryAgain, "stopped before everything was done", hint: "what was done so far is in \(place.path(""))")
    case .done: break
    }
    let results = place.path("spool/results/demo.txt.csv")
    let lines = try String(contentsOfFile: results, encoding: .utf8).split(separator: "\n").dropFirst()
    var states: [Substring: Int] = [:]
    for line in lines { states[line.split(separator: ",", maxSplits: 2)[1], default: 0] += 1 }
    let journal = try Data(contentsOf: URL(filePath: place.path("requests.jsonl")))
    let requests = try journal.split(separator: UInt8(ascii: "\n")).map {
      try JSONDecoder().decode(Answered.self, from: $0)
    }
    let throttled = requests.count { $0.status == 429 }
    try StandardOutput.write(
      """

      \(lines.count.counted("key")): \(states["registered", default: 0]) registered, \(states["failed", default: 0]) failed
      \(requests.count) requests, \(throttled) of them refused with 429
      results   \(results)
      receipt   \(place.path("spool/done/demo.txt.receipt.json"))
      journal   \(place.path("daemon.log"))
      requests  \(place.path("requests.jsonl"))

      """)
  }
}

/// A line of the sandbox's journal.
private struct Answered: Decodable {
  var status: Int
}

/// The temporary folder of a demo.
private struct DemoFolder {
  private let folder: String

  init() throws {
    var template = Array((NSTemporaryDirectory() + "keyreg-demo.XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Failure(.inputOutput, "cannot make a temporary folder: \(String(cString: strerror(errno)))")
    }
    folder = template.withUnsafeBufferPointer {
      String(decoding: $0.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
    try FileManager.default.createDirectory(
      atPath: path("spool/incoming"), withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { folder + "/" + name }

  /// Random ids, one a line.
  func writeList(count: Int) throws {
    var random = SystemRandomNumberGenerator()
    var text = "# a demonstration list\n"
    for _ in 0..<count { text += "\(AppKeyID(high: random.next(), low: random.next()))\n" }
    try text.write(toFile: path("spool/incoming/.demo"), atomically: false, encoding: .utf8)
    guard rename(path("spool/incoming/.demo"), path("spool/incoming/demo.txt")) == 0 else {
      throw Failure(.inputOutput, "cannot drop the list: \(String(cString: strerror(errno)))")
    }
  }

  func configuration() throws -> String {
    let path = path("keyreg.yaml")
    let text = "retry:\n  first_delay: 200ms\nspool:\n  settle: 0s\n"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }
}

/// Progress on standard error: redrawn on a terminal, one line a second elsewhere.
private struct Screen {
  private let isTerminal = TerminalStyle.mayColour(
    isTerminal: StandardError.isTerminal, environment: ProcessInfo.processInfo.environment)
  private let redraw = Redraw { StandardError.write($0) }

  var interval: Double { isTerminal ? 0.1 : 1 }

  func show(_ status: StatusDocument) throws {
    guard isTerminal else { return StandardError.write(StatusView(status: status).line + "\n") }
    let style = TerminalStyle(
      isColoured: true, isUnicode: TerminalStyle.isUnicode(ProcessInfo.processInfo.environment),
      columns: StandardError.columns)
    try redraw.draw(StatusView(status: status, style: style).block, columns: StandardError.columns)
  }
}
