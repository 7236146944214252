import Glibc
package import RegistrationAPI
package import Secrets

/// Where the two secrets are found: environment, then credentials directory, then the configured files.
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

  /// Reads both. Throws `CredentialError`: `missing` names every place that was searched.
  package func load(_ settings: Settings) throws(CredentialError) -> Credentials {
    let app = Result { () throws(CredentialError) in try appKey(settings) }
    if case .success(let token) = app, token.secret.token != nil {
      return Credentials(apiKey: nil, appKey: token.secret)
    }
    let api = try apiKey(settings)
    return try Self.pair(api, try app.get())
  }

  private static func pair(_ api: Found, _ app: Found) throws(CredentialError) -> Credentials {
    try refuseMixedUp(api, app)
    return Credentials(apiKey: api.secret, appKey: app.secret)
  }

  /// Mistakes that the API only answers with a plain 403.
  private static func refuseMixedUp(_ api: Found, _ app: Found) throws(CredentialError) {
    let hint = "the API key belongs in DD_API_KEY or api-key, the application key in DD_APP_KEY or app-key"
    if api.secret.token != nil {
      throw CredentialError(
        .malformed, "\(api.origin): this is an access token, not an API key",
        hint: "put it in DD_APP_KEY or app-key, in place of the application key; an API key is then not needed")
    }
    if api.secret.looksLikeApplicationKey, app.secret.looksLikeAPIKey {
      throw CredentialError(
        .malformed, "the API key and the application key are in each other's place (\(api.origin), \(app.origin))",
        hint: hint)
    }
    if api.secret.isApplicationKey {
      throw CredentialError(
        .malformed, "\(api.origin): this is an application key (ddapp_…), not an API key", hint: hint)
    }
    guard api.secret != app.secret else {
      throw CredentialError(
        .malformed, "the API key and the application key are the same value (\(api.origin), \(app.origin))",
        hint: hint)
    }
    // No application key has this form.
    guard app.secret.looksLikeAPIKey else { return }
    throw CredentialError(
      .malformed, "\(app.origin): this looks like an API key (32 hexadecimal digits), not an application key",
      hint: hint)
  }

  package func apiKey(_ settings: Settings) throws(CredentialError) -> Found {
    try find(variable: "DD_API_KEY", name: "api-key", file: settings.apiKeyFile, settings)
  }

  package func appKey(_ settings: Settings) throws(CredentialError) -> Found {
    try find(variable: "DD_APP_KEY", name: "app-key", file: settings.appKeyFile, settings)
  }

  private func find(
    variable: String, name: String, file path: String, _ settings: Settings
  ) throws(CredentialError) -> Found {
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
    let file = CredentialFile(path: path, credentialsDirectory: directory)
    return Found(secret: try file.read(for: Self.daemonUser(settings)), origin: path)
  }

  /// The user that the daemon runs as, if root asks: the owner of its state directory.
  private static func daemonUser(_ settings: Settings) -> uid_t? {
    var status = stat()
    return geteuid() == 0 && stat(settings.stateDirectory, &status) == 0 ? status.st_uid : nil
  }
}
