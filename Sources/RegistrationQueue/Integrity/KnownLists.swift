import GRDB
package import Registration

/// What a queue knows of lists, asked before anything is written to it: a spool that has taken in others belongs to a
/// newer queue.
package struct KnownLists {
  package enum Standing: Hashable, Sendable {
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

  /// Those of no queue at all.
  init() {
    (database, notes) = (nil, [])
  }

  init(_ database: Database) throws {
    self.database = database
    // A queue that an earlier version has left may lack them.
    notes = try ["rejected_list", "earlier_list"].filter { try database.tableExists($0) }
  }

  /// Whether no list was ever taken in.
  package var isEmpty: Bool {
    get throws {
      guard let database else { return true }
      return try Row.fetchOne(database, sql: "SELECT 1 FROM list LIMIT 1") == nil
    }
  }

  /// What the queue knows of the list `name`.
  package func standing(of name: String) throws -> Standing {
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

/// What shows that a queue has taken in lists which the one at hand does not know.
package struct SpoolEvidence: Hashable, Sendable {
  /// The folder in which they show.
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

extension RegistrationQueue {
  /// What the queue knows of lists, at one moment.
  package func compare<Value>(_ body: (KnownLists) throws -> Value) throws -> Value {
    try read("look for lists") { database in try body(KnownLists(database)) }
  }

  /// Notes that an earlier queue has taken in these lists, and that they are left to it.
  package func leaveToEarlierQueue(_ names: [String]) throws {
    guard !names.isEmpty else { return }
    try write("note lists of an earlier queue") { database, _ in
      let statement = try database.cachedStatement(sql: "INSERT OR IGNORE INTO earlier_list (name) VALUES (?)")
      for name in names { try statement.execute(arguments: [name]) }
    }
  }

  /// Under this name the queue keeps that it may be older than its spool.
  static let olderIsMeant = "older_is_meant"

  /// Whether the queue was said to be older than its spool, and the spool was not compared with it since.
  package var isOlderMeant: Bool {
    get throws { try recall(Bool.self, named: Self.olderIsMeant) ?? false }
  }

  /// Every list of the spool that the queue does not know is read again, or noted.
  package func noteCompared() throws {
    try remember(nil as Bool?, named: Self.olderIsMeant)
  }
}
