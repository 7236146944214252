import GRDB
package import Registration

/// What a queue knows about lists, asked before anything is written to it: a spool in which other lists were imported
/// belongs to a newer queue.
package struct KnownLists {
  package enum Entry: Hashable, Sendable {
    case unknown
    /// Rejected, or left to an earlier queue.
    case noted
    case taken(Taken)
  }

  /// A list that was read, or is being read.
  package struct Taken: Hashable, Sendable {
    package var sha256: String
    package var bytes: Int64
    /// Nil while it is being read.
    package var importedAt: Timestamp?
    package var isFiled: Bool
  }

  /// Nil when there is no queue.
  private let database: Database?
  private let notes: [String]

  /// For when there is no queue.
  init() {
    (database, notes) = (nil, [])
  }

  init(_ database: Database) throws {
    self.database = database
    // A queue from an earlier version may lack them.
    notes = try ["rejected_list", "earlier_list"].filter { try database.tableExists($0) }
  }

  /// Whether no list was ever imported.
  package var isEmpty: Bool {
    get throws {
      guard let database else { return true }
      return try Row.fetchOne(database, sql: "SELECT 1 FROM list LIMIT 1") == nil
    }
  }

  /// What the queue knows about the list `name`.
  package func entry(of name: String) throws -> Entry {
    guard let database else { return .unknown }
    let row = try Row.fetchOne(
      try database.cachedStatement(sql: "SELECT sha256, bytes, imported_at, filed_at FROM list WHERE name = ?"),
      arguments: [name])
    if let row {
      return .taken(
        Taken(
          sha256: row[0], bytes: row[1], importedAt: (row[2] as Int64?).map(Timestamp.init(milliseconds:)),
          isFiled: row[3] != nil))
    }
    for table in notes {
      let statement = try database.cachedStatement(sql: "SELECT 1 FROM \(table) WHERE name = ?")
      if try Row.fetchOne(statement, arguments: [name]) != nil { return .noted }
    }
    return .unknown
  }
}

/// Shows that a queue has imported lists that the current one does not know.
package struct SpoolEvidence: Hashable, Sendable {
  /// The folder with the evidence.
  package var folder: String
  /// `receipts` or `results`.
  package var what: String
  package var lists: Int
  /// The name of one of them.
  package var first: String

  package init(folder: String, what: String, lists: Int, first: String) {
    self.folder = folder
    self.what = what
    self.lists = lists
    self.first = first
  }
}

/// Wraps an error of the spool that passes through the queue, so that it is not mistaken for one of the queue.
struct SpoolFault: Error {
  let reason: any Error

  /// Runs `body`, and wraps its errors so that they are not taken for the queue's.
  static func separating<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch  where !(error is DatabaseError || error is QueueError) {
      throw SpoolFault(reason: error)
    }
  }
}

extension RegistrationQueue {
  /// What the queue knows about lists, at one moment. Errors of `body` itself are thrown as they are.
  package func compare<Value>(_ body: (KnownLists) throws -> Value) throws -> Value {
    try read("look for lists") { database in try SpoolFault.separating { try body(KnownLists(database)) } }
  }

  /// Notes that an earlier queue has imported these lists, and that they are left to it.
  package func leaveToEarlierQueue(_ names: [String]) throws {
    guard !names.isEmpty else { return }
    try write("note lists of an earlier queue") { database, _ in
      let statement = try database.cachedStatement(sql: "INSERT OR IGNORE INTO earlier_list (name) VALUES (?)")
      for name in names { try statement.execute(arguments: [name]) }
    }
  }

  /// The name under which the queue notes that it may be older than its spool.
  static let olderIsMeant = "older_is_meant"

  /// Whether the queue may be older than its spool, and has not been compared with it since.
  package var isOlderMeant: Bool {
    get throws { try recall(Bool.self, named: Self.olderIsMeant) ?? false }
  }

  /// Every list in the spool that the queue did not know is being read again, or was noted.
  package func noteCompared() throws {
    try remember(nil as Bool?, named: Self.olderIsMeant)
  }
}
