/// The `type` of an object in an answer of the API.
struct JSONType: Hashable {
  private static let keys: Set<String> = [
    "application_key", "application_keys", "app_key", "app_keys", "app_key_registration", "app_key_registrations",
    "datadog_application_key", "datadog_service_account_application_key",
  ]
  private static let others = [
    "users": "a user", "user": "a user", "api_keys": "an API key", "api_key": "an API key",
    "service_access_tokens": "a service access token", "personal_access_tokens": "a personal access token",
    "service_accounts": "a service account", "service_account": "a service account", "roles": "a role",
    "role": "a role",
    "orgs": "an organisation", "org": "an organisation", "teams": "a team", "team": "a team",
    "client_tokens": "a client token", "permissions": "a permission", "api": "an API key",
  ]

  /// Whether `text`, in a column or line that may have another meaning than in an answer of the API, is the type of
  /// something else.
  static func isOther(named text: [UInt8]) -> Bool {
    let name = String(decoding: Edges.peeled(CleanText.clean(text[...])), as: UTF8.self).lowercased()
    return others[name] != nil || IDName.meaning(of: text, isLabel: true) == .other
  }

  /// What the object is, in words with an article, if it is not an application key; else nil.
  let otherThing: String?

  init(_ text: [UInt8]) {
    // Avoids making a string for what answers of the API repeat a million times.
    if text.elementsEqual("application_keys".utf8) || text.elementsEqual("app_key_registration".utf8) {
      otherThing = nil
      return
    }
    let name = String(String(decoding: text, as: UTF8.self).lowercased().map { " -".contains($0) ? "_" : $0 })
    if Self.keys.contains(name) {
      otherThing = nil
    } else {
      otherThing = Self.others[name] ?? "an object of type \"\(InvalidLine.shown(text, characters: 40))\""
    }
  }
}
