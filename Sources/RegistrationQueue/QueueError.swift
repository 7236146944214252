import GRDB

/// Why the queue could not do what it was asked.
package struct QueueError: Error, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// No space, no permission or a failing device. Nothing was written; the same call may succeed later.
    case disk
    /// The file is damaged, or is not a queue.
    case corrupt
    /// A later version of keyreg has written the file.
    case newer
    /// A defect in keyreg.
    case defect
  }

  package let kind: Kind
  package let description: String
  /// What the operator can do.
  package let hint: String?

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
        kind: .disk, description: text,
        hint: "look at free space and permissions of the state directory; nothing that was recorded is lost")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
      self.init(
        kind: .corrupt, description: text,
        hint: "keep a copy of the state directory, then try: sqlite3 queue.sqlite .recover")
    default:
      self.init(kind: .defect, description: text, hint: nil)
    }
  }

  private init(kind: Kind, description: String, hint: String?) {
    self.kind = kind
    self.description = description
    self.hint = hint
  }

  static func newer(path: String) -> QueueError {
    QueueError(
      kind: .newer, description: "the queue \(path) was written by a later version of keyreg",
      hint: "run that version, or name another state_directory")
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
