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
    try StandardOutput.write(table.text)
    if let token { StandardError.write("keyreg: warning: \(Self.warning(of: token))\n") }
    switch Result(catching: { () throws(CredentialError) in try credentials.load(loaded.settings) }) {
    case .success(let accepted):
      if online { try probe(loaded.settings.api(accepted)) }
    case .failure(let error):
      try explain(error, socket: loaded.settings.socket)
    }
  }

  private func explain(_ error: CredentialError, socket: String) throws {
    if error.reason == .unreadable, geteuid() != 0 {
      throw Failure(
        .permission, error.message, hint: "only root can read the service's credentials: run sudo keyreg check")
    }
    // Credentials that systemd decrypts reach only the daemon.
    guard error.reason == .missing, let status = try? ControlClient(socket: socket).status() else { throw error }
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
    case .failure: [name, "(none)", "-"]
    }
  }

  private func probe(_ settings: APISettings) throws {
    let reply: RegistrationClient.OnlineCheck
    do {
      reply = try RegistrationClient(settings, version: Keyreg.version).onlineCheck()
    } catch {
      throw Failure(
        .unavailable, "\(settings.endpoint) cannot be reached: \(error)",
        hint: "check site or api.url, api.proxy and api.ca_file, and whether this machine may connect to that address")
    }
    let answer = "\(settings.endpoint) answered \(reply.status)"
    let said = reply.detail.isEmpty ? answer : "\(answer): \(reply.detail)"
    switch reply.status {
    case 200..<300 where !reply.isList:
      throw Failure(
        .unavailable, "\(answer), but the answer is not the API's",
        hint: "the login page of a network or a proxy may be in the way; check api.url and api.proxy")
    case 200..<300: try StandardOutput.line("online: \(settings.endpoint) accepts the credentials")
    case 300..<400:
      throw Failure(
        .unavailable, "\(answer), a redirect to \(reply.location ?? "nowhere")",
        hint: "the API never redirects, and keyreg does not follow redirects; check site, api.url and api.proxy")
    case 401 where !reply.isWord, 403 where !reply.isWord:
      throw Failure(
        .unavailable, "\(said) (not the API's words)",
        hint: "a gateway or proxy may be in the way; check api.url and api.proxy")
    case 401, 403:
      throw Failure(
        .permission, said,
        hint: """
          check that both keys belong to an organisation of this site and have not been revoked; a key that may register \
          but not read (org_app_keys_read) gets the same answer
          """)
    case 429:
      try StandardOutput.line(
        "online: \(settings.endpoint) can be reached, but its rate limit is used up at the moment")
    default: throw Failure(.unavailable, said)
    }
  }
}
