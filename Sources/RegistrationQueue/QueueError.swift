import GRDB
import Glibc
import Registration

/// Why an operation of the queue failed.
package struct QueueError: Error, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// No space, no permission or a failing device. Nothing was written; the same call may succeed later.
    case disk
    /// A file of the queue belongs to another user, and cannot be used because of that.
    case foreign
    /// The file is damaged, or is not a queue, or does not belong to its log. It was not changed.
    case corrupt
    /// There is no queue, but there was one.
    case missing
    /// A later version of keyreg has written the file.
    case newer
    /// The queue belongs to another instance, or a backup to another instance or endpoint.
    case elsewhere
    /// A defect in keyreg.
    case defect
  }

  package let kind: Kind
  package let description: String
  /// What the operator can do.
  package let hint: String?
  /// The disk is full; `kind` is then `disk`.
  package let isOutOfSpace: Bool

  init(_ error: any Error, doing purpose: String) {
    guard let error = error as? DatabaseError else {
      self.init(kind: .defect, description: "cannot \(purpose): \(error)", hint: nil)
      return
    }
    let text = "cannot \(purpose): \(error.message ?? "SQLite error") (SQLite \(error.extendedResultCode.rawValue))"
    switch error.resultCode {
    case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_BUSY, .SQLITE_LOCKED,
      .SQLITE_NOMEM, .SQLITE_AUTH, .SQLITE_PROTOCOL:
      self.init(
        kind: .disk, description: text, isOutOfSpace: error.resultCode == .SQLITE_FULL,
        hint: "check the free space and permissions of the state directory; no recorded outcome is lost")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
      self.init(
        kind: .corrupt, description: text, hint: Self.recovery)
    // Every table has typed columns: only a number that was edited grows beyond its type.
    case .SQLITE_CONSTRAINT where error.extendedResultCode == .SQLITE_CONSTRAINT_DATATYPE, .SQLITE_MISMATCH:
      self.init(kind: .corrupt, description: "\(text): a stored number is out of range", hint: Self.recovery)
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
      hint: """
        run that version; or go back to the copy that it kept before it changed the queue, if there is one beside it \
        (keyreg restore queue.sqlite.schema-NAME): keys registered since then are registered again
        """)
  }

  /// The stored data cannot have been written by a queue.
  static func damaged(_ description: String) -> QueueError {
    QueueError(kind: .corrupt, description: description, hint: recovery)
  }

  static func defect(_ description: String) -> QueueError {
    QueueError(kind: .defect, description: description, hint: nil)
  }
}

extension QueueError {
  /// An error that no operation of the queue should throw.
  package static func unexpected(_ error: any Error) -> QueueError {
    QueueError(error, doing: "use the queue")
  }
}

// MARK: - What is wrong with the files

extension QueueError {
  private static let recovery = """
    nothing was changed; keep a copy of the state directory, then restore a backup (keyreg restore FILE), or try: \
    sqlite3 queue.sqlite .recover
    """

  static func unreadable(_ path: String, _ error: SystemFault) -> QueueError {
    QueueError(
      kind: .disk, description: "cannot read \(path): \(error.text)",
      hint: "the state directory and its files must belong to the daemon's user")
  }

  static func unwritable(_ path: String, _ error: SystemFault) -> QueueError {
    QueueError(
      kind: .disk, description: "cannot write \(path): \(error.text)",
      hint: "check the free space and permissions of the state directory; no recorded outcome is lost")
  }

  static func foreign(path: String, owner: uid_t) -> QueueError {
    let (owner, user) = (Account.name(ofUser: owner) ?? "\(owner)", Account.name(ofUser: geteuid()) ?? "\(geteuid())")
    return QueueError(
      kind: .foreign, description: "\(path) belongs to the user \(owner), so that \(user) cannot use it",
      hint: "run sudo chown \(user): \(path)")
  }

  static func readOnly(path: String) -> QueueError {
    QueueError(
      kind: .disk, description: "cannot open the queue \(path) for writing",
      hint: "check its permissions, its file system and the limit of open files, and start again")
  }

  /// - Parameter finding: SQLite's words.
  static func uncheckable(_ finding: String) -> QueueError {
    QueueError(
      kind: .disk, description: "cannot check the queue: \(finding)",
      hint: "look at the system log: the disk may be failing; the check is repeated in an hour")
  }

  static func corrupt(path: String, _ what: String) -> QueueError {
    QueueError(kind: .corrupt, description: "the queue \(path) cannot be used: \(what)", hint: recovery)
  }

  static func damagedLog(path: String) -> QueueError {
    QueueError(
      kind: .corrupt,
      description: "the log \(path)-wal is damaged in the middle: commits after the damage would be lost",
      hint: recovery)
  }

  static func foreignLog(path: String, _ what: String) -> QueueError {
    QueueError(
      kind: .corrupt, description: "the queue \(path) and its log \(path)-wal do not belong together: \(what)",
      hint: """
        nothing was changed; put back both files from the same copy, or restore a backup (keyreg restore FILE)
        """)
  }

  static func older(path: String, commits: Int) -> QueueError {
    QueueError(
      kind: .corrupt,
      description: "the queue \(path) is an older copy, or has lost its log: \(commits.counted("commit")) missing",
      hint:
        """
        nothing was changed; put all its files back together; to use this one, run this once: keyreg run --older-queue
        """
    )
  }

  static func withoutMark(path: String) -> QueueError {
    QueueError(
      kind: .corrupt,
      description: """
        the queue \(path) may be an older copy, or have lost its log: \(QueueMark.path(of: path)) is missing, which is always \
        beside it
        """,
      hint: """
        nothing was changed; put all its files back together; to use this one, run this once: keyreg run --older-queue
        """)
  }

  static func copiedByHand(path: String) -> QueueError {
    QueueError(
      kind: .corrupt,
      description: """
        \(path)-wal is beside \(path): this is not a backup but a copy made by hand; to move a state directory, stop the \
        daemon and move all its files together
        """, hint: nil)
  }

  static func missing(path: String, found: String, evidence: String) -> QueueError {
    QueueError(
      kind: .missing, description: "the queue \(path) \(found), but \(evidence)",
      hint: """
        put it back, or restore a backup (keyreg restore FILE); to start a new queue, which does not know what was \
        registered, run this once: keyreg run --new-queue
        """)
  }

  /// The spool shows that this is not the queue that last worked on it.
  ///
  /// - Parameter isUnused: The queue has no list.
  package static func contradicted(path: String, isUnused: Bool, by evidence: SpoolEvidence) -> QueueError {
    isUnused
      ? missing(path: path, found: "has no list", evidence: evidence) : older(path: path, evidence: evidence)
  }

  static func missing(path: String, found: String, evidence: SpoolEvidence) -> QueueError {
    let lists = "\(evidence.lists.counted("list")), the first \(evidence.first)"
    return .missing(
      path: path, found: found,
      evidence: "\(evidence.folder) has \(evidence.what) of lists that a queue has imported (\(lists))")
  }

  /// A later queue has worked on the spool.
  static func older(path: String, evidence: SpoolEvidence) -> QueueError {
    QueueError(
      kind: .corrupt,
      description: """
        the queue \(path) is older than its spool: \(evidence.folder) has \(evidence.what) of lists that it does not know \
        or has not read (\(evidence.lists), the first \(evidence.first))
        """,
      hint: """
        put the newer queue back, all its files together; to use this one, run this once: keyreg run --older-queue \
        (lists in done/ that it does not know are read again, and their keys may be registered again)
        """)
  }

  /// An earlier run found damage, and so did the check before this one's work.
  package static func stillDamaged(_ damage: String) -> QueueError {
    QueueError(kind: .corrupt, description: "the queue is damaged (\(damage))", hint: recovery)
  }

  /// The error of every operation on a queue that was found damaged during use. Its kind is `disk`: the daemon holds.
  static func sealed(_ damage: String) -> QueueError {
    QueueError(
      kind: .disk,
      description: """
        the queue is damaged (\(damage)): nothing more is written to it; stop keyreg, keep a copy of the state \
        directory, and restore a backup (keyreg restore FILE)
        """, hint: "without a backup, try: sqlite3 queue.sqlite .recover")
  }
}
