import GRDB

/// Whose queue it is: the instance, and the API that its keys are registered with. The queue stores it, so that every
/// copy has it too.
package struct QueueOrigin: Codable, Hashable, Sendable {
  /// Nil for the main instance.
  package var instance: String?
  /// The base address of the API.
  package var endpoint: String

  package init(instance: String?, endpoint: String) {
    self.instance = instance
    self.endpoint = endpoint
  }

  /// The name under which the queue stores it.
  static let name = "origin"

  static func describe(_ instance: String?) -> String { instance.map { "the instance \($0)" } ?? "the main instance" }
}

extension RegistrationQueue {
  /// Notes whose queue it is from now on. Returns what was noted before; nil for a new queue, or one of an earlier
  /// version.
  package func note(_ origin: QueueOrigin) throws -> QueueOrigin? {
    let earlier = try recall(QueueOrigin.self, named: QueueOrigin.name)
    if earlier != origin { try remember(origin, named: QueueOrigin.name) }
    return earlier
  }
}

extension QueueOrigin {
  /// What a backup is to be restored for, and what the operator knows of where it comes from.
  package struct Expected: Sendable {
    let target: QueueOrigin
    /// The operator says that this instance made the backup; the outer nil says nothing.
    let fromInstance: String??

    package init(_ target: QueueOrigin, fromInstance: String?? = nil) {
      self.target = target
      self.fromInstance = fromInstance
    }

    /// Throws `QueueError` when the backup is another instance's, and the operator has not said so. Otherwise the backup
    /// is the target instance's from now on. A backup without an origin is accepted.
    ///
    /// Returns the endpoint that its keys were registered with, if that is not the target's. It may still be right: the
    /// daemon may get its endpoint from its environment, which the user who restores does not have.
    ///
    /// - Parameter file: The path that the operator knows.
    func claim(_ database: Database, file: String) throws -> String? {
      guard var origin = try RegistrationQueue.kept(QueueOrigin.self, named: QueueOrigin.name, in: database) else {
        return nil
      }
      if origin.instance != target.instance, fromInstance != .some(origin.instance) {
        throw QueueError.backup(file, of: origin.instance, isNotOf: target.instance)
      }
      origin.instance = target.instance
      try RegistrationQueue.keep(origin, named: QueueOrigin.name, in: database)
      return origin.endpoint == target.endpoint ? nil : origin.endpoint
    }
  }
}

extension QueueError {
  private static func option(_ instance: String?) -> String { instance.map { " --instance \($0)" } ?? "" }

  /// Another instance's queue is where this instance's should be.
  static func queue(_ path: String, of owner: String?, isNotOf instance: String?) -> QueueError {
    QueueError(
      kind: .elsewhere,
      description:
        "the queue \(path) belongs to \(QueueOrigin.describe(owner)), not to \(QueueOrigin.describe(instance))",
      hint: """
        put this instance's own queue back; if \(QueueOrigin.describe(owner)) was renamed, run this once: keyreg restore\
        \(option(instance)) --from-instance \(owner ?? "keyreg") \(path)
        """)
  }

  static func backup(_ file: String, of owner: String?, isNotOf instance: String?) -> QueueError {
    QueueError(
      kind: .elsewhere,
      description: "\(file) is a backup of \(QueueOrigin.describe(owner)), not of \(QueueOrigin.describe(instance))",
      hint: """
        nothing was changed; restore it with\(owner.map { " --instance \($0)" } ?? "out --instance"), or, if \
        \(QueueOrigin.describe(owner)) was renamed, add --from-instance \(owner ?? "keyreg")
        """)
  }
}
