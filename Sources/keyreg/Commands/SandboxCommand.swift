import ArgumentParser
import Dispatch
import Glibc
import Registration
import SandboxAPI
import Systemd

struct SandboxCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox", abstract: "A local stand-in for the API with real rate limiting, to try and to test with.",
    discussion: "--faults takes \(FaultPlan.hint).")

  @Option(help: "Address and port; port 0 takes a free one.")
  var listen = "127.0.0.1:0"

  @Option(help: "Requests in a period.")
  var limit = "100/10s"

  @Option(help: "fixed, sliding or bucket.")
  var algorithm = ServerLimit.Algorithm.fixed

  @Option(help: "full, none or retry-after.")
  var headers = SandboxConfiguration.Headers.full

  @Option(help: "How long an answer takes.")
  var latency = "0ms"

  @Option(help: ArgumentHelp("What goes wrong; see above.", valueName: "spec"))
  var faults: String?

  @Option(help: ArgumentHelp("Gets one JSON line a request.", valueName: "file"))
  var journal: String?

  func run() throws {
    guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[listen.index(after: colon)...]) else {
      throw ValidationError("--listen takes ADDRESS:PORT, such as 127.0.0.1:0")
    }
    guard let milliseconds = DurationText.milliseconds(latency) else {
      throw ValidationError("--latency takes a duration with its unit: 20ms, 1s")
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
      sandbox = try Sandbox(configuration)
      bound = try sandbox.start()
    } catch {
      throw Failure(.inputOutput, "cannot serve \(listen): \(error)")
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
