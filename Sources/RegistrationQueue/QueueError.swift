import GRDB

/// Why the queue could not do what it was asked.
package struct QueueError: Error, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// No space, no permission or a failing device. Nothing was written; the same call may succeed later.
    case disk
    /// The file is damaged, or is not a queue, or does not belong to its log. It was left as it is.
    case corrupt
    /// No queue is there, but there was one.
    case missing
    /// A later version of keyreg has written the file.
    case newer
    /// A defect in keyreg.
    case defect
  }

  package let kind: Kind
  package let description: String
  /// What the operator can do.
  package let hint: String?
  /// The disk is full: `kind` is `disk` then.
  package let isOutOfSpace: Bool

  init(_ error: any Error, doing purpose: String) {
    guard let error = error as? DatabaseError else {
      self.init(kind: .defect, description: "cannot \(purpose): \(error)", hint: nil)
      return
    }
    let text = "cannot \(purpose): \(error.message ?? "SQLite error") (SQLite \(error.extendedResultCode.rawValue))"
    switch error.resultCode {
    case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_BUSY, .SQLITE_LOCKED,
      .SQLITE_NOMEM, .SQLITE_AUTH:
      self.init(
        kind: .disk, description: text, isOutOfSpace: error.resultCode == .SQLITE_FULL,
        hint: "look at free space and permissions of the state directory; nothing that was recorded is lost")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
      self.init(
        kind: .corrupt, description: text, hint: Self.recovery)
    // Every table says which type a column has: only a number that was edited grows beyond it.
    case .SQLITE_CONSTRAINT where error.extendedResultCode == .SQLITE_CONSTRAINT_DATATYPE, .SQLITE_MISMATCH:
      self.init(kind: .corrupt, description: "\(text): a stored number cannot be right", hint: Self.recovery)
    default:
      self.init(kind: .defect, description: text, hint: nil)
    }
  }

  init(kind: Kind, description: String, isOutOfSpace: Bool = false, hint: String?) {
    self.isOutOfSpace = isOutOfSpace
    self.kind = kind
    self.description = description
    self.hint = hint
  }

  static func newer(path: String) -> QueueError {
    QueueError(
      kind: .newer, description: "the queue \(path) was written by a later version of keyreg",
      hint: "run that version, or name another state_directory")
  }

  /// What is stored cannot be what a queue has put there.
  static func damaged(_ description: String) -> QueueError {
    QueueError(kind: .corrupt, description: description, hint: recovery)
  }

  static func defect(_ description: String) -> QueueError {
    QueueError(kind: .defect, description: description, hint: nil)
  }
}

extension QueueError {
  /// An error that no call of the queue is meant to throw.
  package static func unexpected(_ error: any Error) -> QueueError {
    QueueError(error, doing: "use the queue")
  }
}

// MARK: - What is wrong with the files

extension QueueError {
  private static let recovery = """
    nothing was changed: keep a copy of the state directory, then put a backup in place (keyreg restore FILE), or try: \
    sqlite3 queue.sqlite .recover
    """

  static func unreadable(_ path: String, _ error: SystemError) -> QueueError {
    QueueError(
      kind: .disk, description: "cannot read \(path): \(error.text)",
      hint: "the state directory and its files must belong to the daemon's user")
  }

  static func corrupt(path: String, _ what: String) -> QueueError {
    QueueError(kind: .corrupt, description: "the queue \(path) cannot be used: \(what)", hint: recovery)
  }

  static func damagedLog(path: String) -> QueueError {
    QueueError(
      kind: .corrupt,
      description: "the log \(path)-wal is damaged in the middle: commits behind the damage would be lost",
      hint: recovery)
  }

  static func foreignLog(path: String, _ what: String) -> QueueError {
    QueueError(
      kind: .corrupt, description: "the queue \(path) and its log \(path)-wal do not belong together: \(what)",
      hint: """
        nothing was changed: bring back the two files that were copied together, or put a backup in place \
        (keyreg restore FILE)
        """)
  }

  static func older(path: String, commits: Int) -> QueueError {
    QueueError(
      kind: .corrupt,
      description: "the queue \(path) is an older copy, or has lost its log: \(commits) commits are missing",
      hint:
        "nothing was changed: bring back queue.sqlite-wal with it; an older queue that is meant goes in by keyreg restore FILE"
    )
  }

  static func copiedByHand(path: String) -> QueueError {
    QueueError(
      kind: .corrupt,
      description: """
        \(path)-wal lies beside \(path): this is no backup, but a copy that was taken by hand; a whole state directory is \
        moved with the daemon stopped, all its files together
        """, hint: nil)
  }

  static func missing(path: String, found: String, evidence: String) -> QueueError {
    QueueError(
      kind: .missing, description: "the queue \(path) \(found), but \(evidence)",
      hint: """
        put it back, or put a backup in place (keyreg restore FILE); if a new queue is meant, which knows nothing of what \
        was registered, start once with: keyreg run --new-queue
        """)
  }

  /// The spool shows that this is not the queue which worked on it last.
  ///
  /// - Parameter isUnused: The queue has no list.
  package static func belied(path: String, isUnused: Bool, by evidence: SpoolEvidence) -> QueueError {
    isUnused
      ? missing(path: path, found: "has no list", evidence: evidence) : older(path: path, evidence: evidence)
  }

  static func missing(path: String, found: String, evidence: SpoolEvidence) -> QueueError {
    let lists = "\(evidence.lists) lists, the first \(evidence.first)"
    return .missing(
      path: path, found: found,
      evidence: "\(evidence.folder) has \(evidence.what) of lists that a queue has taken in (\(lists))")
  }

  /// The spool has been worked on by a queue that came later.
  static func older(path: String, evidence: SpoolEvidence) -> QueueError {
    QueueError(
      kind: .corrupt,
      description: """
        the queue \(path) is older than its spool: \(evidence.folder) has \(evidence.what) of lists that it does not know \
        or has not read (\(evidence.lists), the first \(evidence.first))
        """,
      hint: """
        put the newer queue back, all its files together; if this one is meant, start once with \
        keyreg run --older-queue: what done/ has and the queue has not is read again, and may be registered again
        """)
  }

  /// An earlier run found damage, and so did the look before this one's work.
  package static func stillDamaged(_ damage: String) -> QueueError {
    QueueError(kind: .corrupt, description: "the queue is damaged (\(damage))", hint: recovery)
  }

  /// What every use of a queue that was found damaged while it worked gets. Of kind `disk`: the daemon holds.
  static func sealed(_ damage: String) -> QueueError {
    QueueError(
      kind: .disk,
      description: """
        the queue is damaged (\(damage)): nothing is written to it any more; stop keyreg, keep a copy of the state \
        directory, and put a backup in place (keyreg restore FILE)
        """, hint: "without a backup, try: sqlite3 queue.sqlite .recover")
  }
}
