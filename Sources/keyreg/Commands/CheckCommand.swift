import ArgumentParser
import ControlAPI
import Foundation
import Glibc
import Registration
import RegistrationAPI
import RegistrationDaemon
import Secrets
import Systemd

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Validate the configuration and credentials, and show where each value comes from.")

  @OptionGroup var instance: InstanceOptions

  @Option(help: "The configuration file.")
  var config: String?

  @Flag(help: "Also make one harmless call to the API.")
  var online = false

  func run() throws {
    try ProcessHardening.applyOrFail()
    let hangs = GuardedChild.enter()
    let source = SettingsSource(file: config, instance: instance.instance, environment: instance.environment)
    let loaded = try source.load()
    try loaded.validate()
    try hangs.refuseForeign(loaded, for: source.instance)
    try hangs.refuseForeignStamps(loaded.settings, for: source.instance)
    let credentials = CredentialSource(environment: source.environment)
    var table = Table(["SETTING", "VALUE", "FROM"])
    for (name, value, origin) in loaded.effective {
      table.add([name, PrintableText.escape(value), PrintableText.escape(origin)])
    }
    let apiKey = Result { () throws(CredentialError) in try credentials.apiKey(loaded.settings) }
    let appKey = Result { () throws(CredentialError) in try credentials.appKey(loaded.settings) }
    let token = try? appKey.get().secret.token
    table.add(token == nil ? Self.row("api key", apiKey) : ["api key", "(not needed)", "with an access token"])
    table.add(Self.row("application key", appKey))
    let style = TerminalStyle.current(environment: source.environment)
    for line in table.lines(in: style) { try StandardOutput.line(line) }
    if let token { StandardError.write("keyreg: warning: \(Self.warning(of: token))\n") }
    switch Result(catching: { () throws(CredentialError) in try credentials.load(loaded.settings) }) {
    case .success(let accepted):
      if online { try report(CheckDocument(loaded.settings.api(accepted), version: Keyreg.version)) }
    case .failure(let error):
      try explain(error, loaded, for: source.instance)
    }
  }

  /// Credentials that cannot be read here are perhaps the daemon's, which can check them.
  private func explain(_ error: CredentialError, _ loaded: LoadedSettings, for instance: Instance) throws {
    guard [.missing, .unreadable].contains(error.reason) else { throw error }
    let client = ControlClient(socket: loaded.settings.socket)
    let status = try? client.status()
    if let status {
      let isSocketNamed = loaded.origin(of: "control.socket") == .environment("KEYREG_SOCKET")
      try DaemonName(status).check(
        at: client.socket, for: AskedDaemon(instance: instance, isSocketNamed: isSocketNamed))
    }
    if online, status != nil, let check = try? client.check() {
      try StandardOutput.line("credentials: those of the daemon, which made this call")
      return try report(check)
    }
    if error.reason == .unreadable, geteuid() != 0 {
      throw Failure(
        .permission, error.message, hint: "only root can read the service's credentials: run sudo keyreg check")
    }
    // Credentials that systemd decrypts reach only the daemon.
    guard error.reason == .missing, let status else { throw error }
    if status.hold == .credentials {
      throw Failure(
        .permission, "the daemon has credentials that this command cannot read, and the API refuses them",
        hint: status.reason)
    }
    let success = status.lastSuccessAt.map { "last accepted by \(status.endpoint) at \($0)" }
    try StandardOutput.line(
      "credentials: the daemon has some that this command cannot read; \(success ?? "not tried yet")")
  }

  /// What the vendor documents about tokens.
  private static func warning(of token: Secret.Token) -> String {
    """
    the application key is a \(token == .personal ? "personal" : "service") access token: it expires, after 24 hours to \
    a year, and then the daemon holds until it gets a new one; it may not create or change application keys, and \
    whether it may register them is not documented
    """
  }

  private static func row(_ name: String, _ found: Result<CredentialSource.Found, CredentialError>) -> [String] {
    switch found {
    case .success(let found):
      [name, found.secret.token == nil ? "(redacted)" : "(redacted), a token", PrintableText.escape(found.origin)]
    case .failure(let error): [name, error.reason == .missing ? "(none)" : "(not usable)", "-"]
    }
  }

  private func report(_ check: CheckDocument) throws {
    switch check.result {
    case .accepted, .limited: try StandardOutput.line("online: \(check.message)")
    case .refused: throw Failure(.permission, check.message, hint: check.hint)
    case .unavailable, .other: throw Failure(.unavailable, check.message, hint: check.hint)
    }
  }
}
