import GRDB
package import Registration

/// The bytes of a list that were read, and their format.
package struct ListSource: Sendable, Hashable {
  /// The list's name.
  package var name: String
  package var sha256: String
  package var bytes: Int
  /// The file's modification time in nanoseconds since 1970: together with the size it shows whether it was written to
  /// since.
  package var modified: Int64
  package var format: String
  /// In a CSV list.
  package var column: String?
  /// The last record has no line end.
  package var isUnterminated: Bool
  /// Whether keys that are already registered are registered again.
  package var isForced: Bool
  package var arrivedAt: Timestamp
  /// For a new list.
  package var terms: ListTerms

  package init(
    name: String, sha256: String, bytes: Int, modified: Int64, format: String, column: String? = nil,
    isUnterminated: Bool = false, isForced: Bool = false, arrivedAt: Timestamp, terms: ListTerms = ListTerms()
  ) {
    self.name = name
    self.sha256 = sha256
    self.bytes = bytes
    self.modified = modified
    self.format = format
    self.column = column
    self.isUnterminated = isUnterminated
    self.isForced = isForced
    self.arrivedAt = arrivedAt
    self.terms = terms
  }
}

/// Consecutive entries of a list, committed together with the position of the import.
package struct ImportBatch: Sendable {
  package var keys: [AppKeyID] = []
  /// How many lines named no key.
  package var invalid = 0

  package init() {}

  /// Entries in the batch, good and bad.
  package var entries: Int { keys.count + invalid }
}

/// The entries of a list, counted by kind.
package struct EntryCounts: Sendable, Hashable {
  package var entries = 0
  /// Keys that came with this list.
  package var accepted = 0
  /// Keys that another list brought.
  package var alreadyKnown = 0
  /// Repetitions within the list.
  package var duplicateInList = 0
  package var invalid = 0
  /// Of the keys already known, those that were put back to pending.
  package var requeued = 0

  package init() {}

  static func += (sum: inout EntryCounts, more: EntryCounts) {
    sum.entries += more.entries
    sum.accepted += more.accepted
    sum.alreadyKnown += more.alreadyKnown
    sum.duplicateInList += more.duplicateInList
    sum.invalid += more.invalid
    sum.requeued += more.requeued
  }

  var arguments: StatementArguments { [entries, accepted, alreadyKnown, duplicateInList, invalid, requeued] }
}
