import GRDB
package import Registration

/// A list as the queue knows it.
package struct ListRecord: Sendable {
  package var id: Int64
  package var name: String
  package var sha256: String
  package var bytes: Int
  /// The file's modification time when it was read, in nanoseconds since 1970; nil for lists that were read before this
  /// was stored.
  package var modified: Int64?
  package var format: String
  /// In a CSV list.
  package var column: String?
  /// The last record had no line end when it was read.
  package var isUnterminated: Bool
  package var isForced: Bool
  /// An earlier list with the same bytes.
  package var duplicateOf: String?
  package var arrivedAt: Timestamp
  /// When the last of its keys was committed; nil while it is being read.
  package var importedAt: Timestamp?
  /// When its source was filed with its receipt, unchanged since it was read; nil while it is being read, or read again. A
  /// file whose entry has changed since is checked again.
  package var filedAt: Timestamp?
  package var cancelledAt: Timestamp?
  package var terms: ListTerms
  /// When it was cancelled because too many of its keys had failed.
  package var stoppedAt: Timestamp?
  /// When its last key had an outcome; nil while one is open.
  package var finishedAt: Timestamp?
  package var resultsAt: Timestamp?
  /// Entries of the source that are committed: where an interrupted import continues.
  package var entries: Int
  package var accepted: Int
  package var alreadyKnown: Int
  package var duplicateInList: Int
  package var invalid: Int
  /// Of the keys known before, those that were put back to pending.
  package var requeued: Int
  /// Its keys by state, including those of other lists that it contains too.
  package var keys: Tally

  static let columns = """
    id, name, sha256, bytes, modified_ns, format, csv_column, unterminated, forced, duplicate_of, arrived_at, imported_at, filed_at, cancelled_at,
    finished_at, results_at, entries, accepted, already_known, duplicate_in_list, invalid, requeued, pending, retrying,
    registered, failed, cancelled, priority, stop_after, stopped_at
    """

  init(_ row: Row) {
    id = row["id"]
    name = row["name"]
    sha256 = row["sha256"]
    bytes = row.amount("bytes")
    modified = row["modified_ns"]
    format = row["format"]
    column = row["csv_column"]
    isUnterminated = row["unterminated"]
    isForced = row["forced"]
    duplicateOf = row["duplicate_of"]
    arrivedAt = Timestamp(milliseconds: row["arrived_at"])
    importedAt = (row["imported_at"] as Int64?).map(Timestamp.init(milliseconds:))
    filedAt = (row["filed_at"] as Int64?).map(Timestamp.init(milliseconds:))
    cancelledAt = (row["cancelled_at"] as Int64?).map(Timestamp.init(milliseconds:))
    terms = ListTerms(
      priority: min(max(row.amount("priority"), ListTerms.priorities.lowerBound), ListTerms.priorities.upperBound),
      stopAfter: row["stop_after"])
    stoppedAt = (row["stopped_at"] as Int64?).map(Timestamp.init(milliseconds:))
    finishedAt = (row["finished_at"] as Int64?).map(Timestamp.init(milliseconds:))
    resultsAt = (row["results_at"] as Int64?).map(Timestamp.init(milliseconds:))
    entries = row.amount("entries")
    accepted = row.amount("accepted")
    alreadyKnown = row.amount("already_known")
    duplicateInList = row.amount("duplicate_in_list")
    invalid = row.amount("invalid")
    requeued = row.amount("requeued")
    keys = Tally()
    keys[.pending] = row.amount("pending")
    keys[.retrying] = row.amount("retrying")
    keys[.registered] = row.amount("registered")
    keys[.failed] = row.amount("failed")
    keys[.cancelled] = row.amount("cancelled")
  }
}

extension ListRecord {
  /// Why it was stopped, as the outcomes of its cancelled keys say; nil when it was not.
  package var stop: (title: String, detail: String)? {
    guard stoppedAt != nil else { return nil }
    let share = terms.stopAfter.map { "more than \(ListTerms.describe(share: $0))" } ?? "too large a share"
    return ("List stopped", "\(share) of the list's finished keys had failed")
  }
}

extension RegistrationQueue {
  /// The newest lists that are not forgotten, in order of arrival.
  package func lists(newest count: Int) throws -> [ListRecord] {
    try read("read the lists") { database in
      try Row.fetchAll(
        database,
        sql: "SELECT \(ListRecord.columns) FROM list WHERE forgotten_at IS NULL ORDER BY id DESC LIMIT ?",
        arguments: [count]
      ).reversed().map(ListRecord.init)
    }
  }

  /// At most `limit` lists that are not forgotten, after the one with id `cursor`, in order of arrival, and the id to
  /// continue from; nil at the end.
  ///
  /// - Parameter isActive: True for lists with open keys or still being read, false for the others, nil for all.
  package func lists(
    isActive: Bool? = nil, after cursor: Int64 = 0, limit: Int
  ) throws -> (rows: [ListRecord], next: Int64?) {
    try read("read the lists") { database in
      let isOpen = "(imported_at IS NULL OR pending + retrying > 0)"
      let wanted = isActive.map { $0 ? " AND \(isOpen)" : " AND NOT \(isOpen)" } ?? ""
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT \(ListRecord.columns) FROM list WHERE id > ? AND forgotten_at IS NULL\(wanted) ORDER BY id LIMIT ?
          """,
        arguments: [cursor, limit])
      return (rows.map(ListRecord.init), rows.count < limit ? nil : rows.last?["id"])
    }
  }

  /// When the oldest of the lists with open keys arrived; nil when none is open.
  package func oldestOpenArrival() throws -> Timestamp? {
    try read("look for the oldest open list") { database in
      try Int64.fetchOne(
        try database.cachedStatement(sql: "SELECT MIN(arrived_at) FROM list WHERE owned_open > 0")
      ).map(Timestamp.init(milliseconds:))
    }
  }

  /// For each list with open keys, by its id, how many keys are processed until its last one is: its own, and those of
  /// lists before it.
  package func openKeysAhead() throws -> [Int64: Int] {
    try read("count keys before each list's end") { database in
      var ahead: [Int64: Int] = [:]
      var total = 0
      let rows = try Row.fetchCursor(
        database, sql: "SELECT id, owned_open FROM list WHERE owned_open > 0 ORDER BY priority DESC, name")
      while let row = try rows.next() {
        total = min(total + row.amount("owned_open"), 1 << 60)
        ahead[row["id"]] = total
      }
      return ahead
    }
  }

  /// The keys that wait longest, as many as are looked at to find out when a list's last one is due.
  private static let waitingAtMost = 10_000

  /// When the last waiting key of each list is due, on the clock that cannot be set. Lists are left out whose waiting keys
  /// belong to other lists, or are due before the ten thousand that wait longest.
  package func lastDueByList() throws -> [Int64: Timestamp] {
    try read("read the due times of each list") { database in
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT list_id, MAX(due_at) FROM (
            SELECT list_id, due_at FROM key INDEXED BY key_retrying WHERE state = 1
            ORDER BY due_at DESC LIMIT \(Self.waitingAtMost))
          GROUP BY list_id
          """)
      return Dictionary(rows.map { ($0[0], Timestamp(milliseconds: $0[1] ?? 0)) }) { $1 }
    }
  }

  package func list(named name: String) throws -> ListRecord? {
    try read("read a list") { database in
      try Row.fetchOne(
        try database.cachedStatement(sql: "SELECT \(ListRecord.columns) FROM list WHERE name = ?"), arguments: [name]
      ).map(ListRecord.init)
    }
  }

  /// The names of lists that are open, or whose results were written within `time`.
  package func listsInUse(within time: Duration) throws -> Set<String> {
    let ends = try read("read the lists in use") { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT name, CASE WHEN imported_at IS NULL OR finished_at IS NULL THEN NULL ELSE results_at END
          FROM list WHERE forgotten_at IS NULL
          """
      ).map { (name: $0[0] as String, end: ($0[1] as Int64?).map(Timestamp.init(milliseconds:))) }
    }
    return Set(ends.filter { list in list.end.map { age(of: $0) <= time } ?? true }.map(\.name))
  }

  /// Finished lists whose results file is not written yet, oldest first.
  package func listsWithoutResults() throws -> [ListRecord] {
    try read("read the finished lists") { database in
      try Row.fetchAll(
        try database.cachedStatement(
          sql: """
            SELECT \(ListRecord.columns) FROM list WHERE finished_at IS NOT NULL AND results_at IS NULL ORDER BY id
            """)
      ).map(ListRecord.init)
    }
  }

  /// Notes that the results files of these lists are in place, except for lists that were opened again meanwhile, and
  /// the notifications due for it. Returns how many older notifications were dropped for that.
  @discardableResult
  package func resultsWritten(
    _ lists: [ListRecord], at now: Timestamp, telling notifications: [DueNotification] = []
  ) throws -> Int {
    guard !lists.isEmpty else { return 0 }
    return try write("note written results") { database, changes in
      changes.listsChanged()
      let update = try database.cachedStatement(sql: "UPDATE list SET results_at = ? WHERE id = ? AND finished_at = ?")
      for list in lists {
        // Not before the list was finished, in case the wall clock was set back.
        let time = max(now, list.finishedAt ?? now)
        try update.execute(arguments: [time.milliseconds, list.id, list.finishedAt?.milliseconds])
      }
      return try Self.keep(notifications, in: database)
    }
  }
}
