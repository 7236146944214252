package import RegistrationAPI
package import Systemd

/// Where the two secrets are found: environment, then credentials directory, then the files that are configured.
package struct CredentialSource: Sendable {
  private let environment: [String: String]

  package init(environment: [String: String]) {
    self.environment = environment
  }

  /// One secret and where it was found.
  package struct Found: Sendable {
    package let secret: Secret
    package let origin: String
  }

  /// Reads both. Throws `CredentialError`: `missing` names every place that was looked at.
  package func load(_ settings: Settings) throws(CredentialError) -> Credentials {
    let (api, app) = (try apiKey(settings), try appKey(settings))
    try Self.refuseEqual(api, app)
    return Credentials(apiKey: api.secret, appKey: app.secret)
  }

  /// One value in both places is a mistake that the API answers with a bare 403.
  package static func refuseEqual(_ api: Found, _ app: Found) throws(CredentialError) {
    guard api.secret == app.secret else { return }
    throw CredentialError(
      .malformed, "the API key and the application key are the same value (\(api.origin), \(app.origin))",
      hint: "the API key belongs into DD_API_KEY or api-key, the application key into DD_APP_KEY or app-key")
  }

  package func apiKey(_ settings: Settings) throws(CredentialError) -> Found {
    try find(variable: "DD_API_KEY", name: "api-key", file: settings.apiKeyFile)
  }

  package func appKey(_ settings: Settings) throws(CredentialError) -> Found {
    try find(variable: "DD_APP_KEY", name: "app-key", file: settings.appKeyFile)
  }

  private func find(variable: String, name: String, file path: String) throws(CredentialError) -> Found {
    if let text = environment[variable], !text.isEmpty {
      return Found(secret: try Secret(text.utf8, from: variable), origin: "environment \(variable)")
    }
    let directory = environment["CREDENTIALS_DIRECTORY"]
    if let file = CredentialFile(named: name, in: directory) {
      do {
        return Found(secret: try file.read(), origin: "credentials directory \(file.path)")
      } catch {
        if error.reason != .missing { throw error }
      }
    }
    return Found(secret: try CredentialFile(path: path, credentialsDirectory: directory).read(), origin: path)
  }
}
