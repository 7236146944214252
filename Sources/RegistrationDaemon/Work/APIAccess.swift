import RateLimit
package import Registration
package import RegistrationAPI
import RegistrationCore
package import RegistrationQueue

/// How the API is reached, and what is known about these credentials from earlier runs.
package struct APIAccess: Sendable {
  package var settings: APISettings
  /// The number that the queue gave the credentials; nil when it cannot be written now.
  package var registrar: Int64?
  /// A key that they registered within the last day.
  package var canary: RegisteredKey?

  private static let hashKey = "registrar_key"

  package init(_ settings: APISettings, in queue: RegistrationQueue) throws(QueueError) {
    self.settings = settings
    do {
      let registrar = try queue.registrar(
        tag: settings.credentials.tag(for: settings.endpoint, key: Self.key(in: queue)))
      self.registrar = registrar
      canary = try queue.registeredKey(within: KnownKey.longestAge, by: registrar)
    } catch let error as QueueError where error.kind == .disk {
      // A full disk shows as a hold anyway. Without the number, only the waiting keys can be canaries.
    } catch {
      throw error as? QueueError ?? .unexpected(error)
    }
  }

  func coreSettings(pacer: PacerSettings, retry: RetryPolicy, change: CoreSettings.Change) -> CoreSettings {
    CoreSettings(pacer: pacer, retry: retry, registrar: registrar, canary: canary, change: change)
  }

  /// The secret of the keyed hash, made once per queue.
  private static func key(in queue: RegistrationQueue) throws -> [UInt8] {
    if let key = try queue.recall([UInt8].self, named: hashKey), key.count == 32 { return key }
    let key = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
    try queue.remember(key, named: hashKey)
    return key
  }
}
