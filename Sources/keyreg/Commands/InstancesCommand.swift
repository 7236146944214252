import ArgumentParser
import ControlAPI
import Foundation
import Registration
import RegistrationDaemon

struct InstancesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instances",
    abstract: "Show the organisations that this machine works for: each instance with its state.",
    discussion: "An instance is shown if it has a configuration in /etc/keyreg or a socket below /run.")

  @Flag(help: "Print one JSON document.")
  var json = false

  private struct Line: Encodable {
    /// Null for the main instance.
    @ExplicitNull var name: String?
    /// Null when the configuration cannot be read.
    @ExplicitNull var socket: String?
    /// The daemon's, or why it does not answer.
    var state: String
    @ExplicitNull var endpoint: String?
    @ExplicitNull var open: Int?
    /// Why the socket is not known.
    @ExplicitNull var reason: String?
  }

  func run() throws {
    let lines = InstancePlaces.names().map(Self.look)
    if json { return try StandardOutput.line(try ["instances": lines].json()) }
    guard !lines.isEmpty else { return StandardError.write("no instances: no configuration and no socket\n") }
    var table = Table(["INSTANCE", "STATE", "OPEN", "ENDPOINT"])
    for line in lines {
      table.add([
        line.name ?? "(main)", line.state, line.open.map(String.init) ?? "-",
        line.endpoint ?? line.reason ?? line.socket ?? "-",
      ])
    }
    let style = TerminalStyle.current(environment: ProcessInfo.processInfo.environment)
    for line in table.lines { try StandardOutput.line(style.cut(line)) }
  }

  private static func look(at name: String?) -> Line {
    let socket: String
    do {
      socket = try InstancePlaces.socket(of: name, isAnswering: ControlClient.isAnswering)
    } catch {
      return Line(name: name, socket: nil, state: "not known", reason: PrintableText.escape(error.description))
    }
    do {
      let status = try ControlClient(socket: socket, timeout: .seconds(2)).status()
      try DaemonName(status).check(
        at: socket, for: AskedDaemon(instance: name.flatMap { Instance($0) } ?? .main, isSocketNamed: false))
      let keys = status.keys
      return Line(
        name: name, socket: socket, state: status.hold.map { "holding: \($0.rawValue)" } ?? status.state.rawValue,
        endpoint: PrintableText.escape(status.endpoint), open: keys.pending + keys.inFlight + keys.retrying)
    } catch let refusal as Failure {
      return Line(name: name, socket: nil, state: "not known", reason: PrintableText.escape(refusal.message))
    } catch ControlClientError.notRunning {
      return Line(name: name, socket: socket, state: "not running")
    } catch ControlClientError.forbidden {
      return Line(name: name, socket: socket, state: "no permission")
    } catch {
      return Line(name: name, socket: socket, state: "no answer")
    }
  }
}
