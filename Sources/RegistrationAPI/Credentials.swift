package import Systemd

/// What the API knows the caller by. Both go into headers of each request and nowhere else.
package struct Credentials: Equatable, Sendable {
  package let apiKey: Secret
  package let appKey: Secret

  package init(apiKey: Secret, appKey: Secret) {
    self.apiKey = apiKey
    self.appKey = appKey
  }
}
