import ArgumentParser
import Foundation
import Registration
import RegistrationAPI
import RegistrationDaemon
import Systemd

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Validates configuration and credentials, and shows where each value comes from.")

  @OptionGroup var instance: InstanceOptions

  @Option(help: "The configuration file.")
  var config: String?

  @Flag(help: "Also makes one harmless call to the API.")
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
    table.add(Self.row("api key", apiKey))
    table.add(Self.row("application key", appKey))
    try StandardOutput.write(table.text)
    let accepted = try credentials.load(loaded.settings)
    if online { try probe(loaded.settings.api(accepted)) }
  }

  private static func row(_ name: String, _ found: Result<CredentialSource.Found, CredentialError>) -> [String] {
    switch found {
    case .success(let found): [name, "(redacted)", PrintableText.escape(found.origin)]
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
        hint: "look at api.url or site, api.proxy, api.ca_file, and whether this machine may connect there")
    }
    switch reply.status {
    case 200..<300 where !reply.isList:
      throw Failure(
        .unavailable, "\(settings.endpoint) answers \(reply.status), but not as the API does",
        hint: "is there a portal or a proxy in between that wants to be logged in to? Look at api.url and api.proxy")
    case 200..<300: try StandardOutput.line("online: \(settings.endpoint) accepts the credentials")
    case 401, 403:
      throw Failure(
        .permission, "\(settings.endpoint) answers \(reply.status): \(reply.detail)",
        hint: """
          are both keys of this site's organisation and not revoked? A key that may register but not read \
          (org_app_keys_read) is answered so too
          """)
    case 429:
      try StandardOutput.line("online: \(settings.endpoint) is reached, but its rate limit is used up just now")
    default: throw Failure(.unavailable, "\(settings.endpoint) answers \(reply.status): \(reply.detail)")
    }
  }
}
