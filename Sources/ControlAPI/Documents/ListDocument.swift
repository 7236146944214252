package import Registration

/// One list, as `GET /v1/lists` shows it.
package struct ListDocument: Codable, Equatable, Sendable {
  package enum State: OpenWord {
    /// Its keys are still being read.
    case importing
    case active
    /// Every key has an outcome.
    case done
    case cancelled
    case other(String)

    package static let allCases: [State] = [.importing, .active, .done, .cancelled]

    package var rawValue: String {
      switch self {
      case .importing: "importing"
      case .active: "active"
      case .done: "done"
      case .cancelled: "cancelled"
      case .other(let word): word
      }
    }
  }

  /// `total` is the sum of the others.
  package struct Keys: Codable, Equatable, Sendable {
    package var pending: Int
    package var retrying: Int
    package var registered: Int
    package var failed: Int
    package var cancelled: Int
    package private(set) var total: Int

    package init(pending: Int = 0, retrying: Int = 0, registered: Int = 0, failed: Int = 0, cancelled: Int = 0) {
      self.pending = pending
      self.retrying = retrying
      self.registered = registered
      self.failed = failed
      self.cancelled = cancelled
      total = pending + retrying + registered + failed + cancelled
    }
  }

  package struct Progress: Codable, Equatable, Sendable {
    /// Keys with an outcome.
    package var done: Int
    /// 0…1 of all keys.
    package var fraction: Double

    package init(done: Int = 0, fraction: Double = 0) {
      self.done = done
      self.fraction = fraction
    }
  }

  package var name: String
  package var id: Int64
  package var state: State
  /// Of the source's bytes, in hexadecimal.
  @ExplicitNull package var sha256: String?
  package var bytes: Int
  package var arrivedAt: Timestamp
  @ExplicitNull package var importedAt: Timestamp?
  @ExplicitNull package var finishedAt: Timestamp?
  @ExplicitNull package var etaAt: Timestamp?
  package var keys: Keys
  package var progress: Progress
  /// Lines without a key id.
  package var invalid: Int
  /// An earlier list with the same bytes.
  @ExplicitNull package var duplicateOf: String?
  /// The file with the outcomes, once it is written.
  @ExplicitNull package var results: String?
  /// 0 to 9. Nil from a daemon of an earlier version.
  package var priority: Int?
  /// The share of failed keys, from 0 to 1, beyond which the list is stopped; nil: never.
  package var stopAfter: Double?
  /// When it was stopped, and why; nil when it was not.
  package var stoppedAt: Timestamp?
  package var stoppedBecause: String?

  private enum CodingKeys: String, CodingKey {
    case name, id, state, sha256, bytes, keys, progress, invalid, results, priority
    case stopAfter = "stop_after"
    case stoppedAt = "stopped_at"
    case stoppedBecause = "stopped_because"
    case arrivedAt = "arrived_at"
    case importedAt = "imported_at"
    case finishedAt = "finished_at"
    case etaAt = "eta_at"
    case duplicateOf = "duplicate_of"
  }

  package init(
    name: String, id: Int64, state: State, sha256: String? = nil, bytes: Int, arrivedAt: Timestamp,
    importedAt: Timestamp? = nil, finishedAt: Timestamp? = nil, etaAt: Timestamp? = nil, keys: Keys = Keys(),
    progress: Progress = Progress(), invalid: Int = 0, duplicateOf: String? = nil, results: String? = nil
  ) {
    self.name = name
    self.id = id
    self.state = state
    _sha256 = ExplicitNull(wrappedValue: sha256)
    self.bytes = bytes
    self.arrivedAt = arrivedAt
    _importedAt = ExplicitNull(wrappedValue: importedAt)
    _finishedAt = ExplicitNull(wrappedValue: finishedAt)
    _etaAt = ExplicitNull(wrappedValue: etaAt)
    self.keys = keys
    self.progress = progress
    self.invalid = invalid
    _duplicateOf = ExplicitNull(wrappedValue: duplicateOf)
    _results = ExplicitNull(wrappedValue: results)
  }
}

/// The answer to `GET /v1/lists`: a page of them, in order of arrival.
package struct ListsDocument: Codable, Equatable, Sendable {
  package var lists: [ListDocument]
  /// Files in the spool that are not lists of the queue, and why. On the first page only.
  package var unread: [UnreadDocument]
  /// The `after` of the following page; null on the last one.
  @ExplicitNull package var next: Int64?

  package init(lists: [ListDocument], unread: [UnreadDocument] = [], next: Int64? = nil) {
    self.lists = lists
    self.unread = unread
    _next = ExplicitNull(wrappedValue: next)
  }

  private enum CodingKeys: String, CodingKey {
    case lists, unread, next
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    lists = try container.decode([ListDocument].self, forKey: .lists)
    // An older daemon does not send it.
    unread = try container.decodeIfPresent([UnreadDocument].self, forKey: .unread) ?? []
    _next = ExplicitNull(wrappedValue: try container.decodeIfPresent(Int64.self, forKey: .next))
  }
}
