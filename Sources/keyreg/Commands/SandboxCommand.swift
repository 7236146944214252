import ArgumentParser
import Dispatch
import Glibc
import Registration
import SandboxAPI
import Systemd

struct SandboxCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox", abstract: "Run a local stand-in for the API, with real rate limiting.",
    discussion: "For --faults, \(FaultPlan.hint).")

  @Option(help: "The address and port to listen on; port 0 picks a free one.")
  var listen = "127.0.0.1:0"

  @Option(help: "The rate limit, as REQUESTS/PERIOD.")
  var limit = "100/10s"

  @Option(help: "How requests are limited.")
  var algorithm = ServerLimit.Algorithm.fixed

  @Option(help: "The rate limit headers that are sent.")
  var headers = SandboxConfiguration.Headers.full

  @Option(help: "How long an answer takes.")
  var latency = "0ms"

  @Option(help: ArgumentHelp("The faults to inject; see above.", valueName: "spec"))
  var faults: String?

  @Option(help: ArgumentHelp("Write one JSON line per request to this file.", valueName: "file"))
  var journal: String?

  func run() throws {
    guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[listen.index(after: colon)...]) else {
      throw ValidationError("--listen takes ADDRESS:PORT, such as 127.0.0.1:0")
    }
    guard let milliseconds = DurationText.milliseconds(latency) else {
      throw ValidationError("--latency takes a duration with a unit, such as 20ms or 1s")
    }
    var configuration = SandboxConfiguration(limit: try Quota(parsing: limit))
    configuration.host = listen[..<colon].trimmingBrackets
    configuration.port = Int(port)
    configuration.algorithm = algorithm
    configuration.headers = headers
    configuration.latency = .milliseconds(milliseconds)
    if let faults { configuration.faults = try FaultPlan(parsing: faults) }
    configuration.journal = journal
    let ended = DispatchSemaphore(value: 0)
    let end = { @Sendable in _ = ended.signal() }
    let signals = SignalHandlers([SIGTERM: end, SIGINT: end])
    defer { withExtendedLifetime(signals) {} }
    let sandbox: Sandbox
    let bound: Int
    do {
      sandbox = try Sandbox(configuration) { @Sendable text in
        let failure = Failure(
          .inputOutput, text, hint: "requests that cannot be written to the journal are not answered")
        StandardError.write(failure.text)
      }
      bound = try sandbox.start()
    } catch let error as SystemError {
      throw Failure(.inputOutput, error.description)
    }
    try StandardOutput.line("listening on http://\(listen[..<colon]):\(bound)")
    ended.wait()
    sandbox.stop()
  }
}

extension Substring {
  fileprivate var trimmingBrackets: String {
    hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : String(self)
  }
}

extension ServerLimit.Algorithm: ExpressibleByArgument {}
extension SandboxConfiguration.Headers: ExpressibleByArgument {}
