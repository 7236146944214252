import Glibc

/// Why something in the spool could not be done, with what the operator can do about it.
package struct SpoolError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// The disk is full, or over its quota.
    case noSpace
    /// The disk fails, or is read-only.
    case disk
    /// Its file system does not answer: whether what was under way there still happens is not known.
    case unanswered
    /// Access is refused.
    case permission
    /// It is not there (any more).
    case missing
    /// It is a symbolic link, a folder, a FIFO, a socket or a device.
    case notRegular
    /// The file is larger than `spool.max_file_size`.
    case tooLarge
    /// Not a name for a list.
    case invalidName
    /// The system refused for another reason.
    case system
  }

  package var kind: Kind
  /// What could not be done and why, in one line without a full stop.
  package var message: String
  package var hint: String?
  /// The system's own number, 0 when it did not refuse.
  package var code: Int32

  package init(kind: Kind, message: String, hint: String? = nil, code: Int32 = 0) {
    self.kind = kind
    self.message = message
    self.hint = hint
    self.code = code
  }

  /// True when the disk is at fault and no list: the same will work once the disk does.
  package var isDiskFault: Bool { kind == .noSpace || kind == .disk || kind == .unanswered }
}

extension SpoolError: CustomStringConvertible {
  package var description: String { message }
}

extension SpoolError {
  /// - Parameter since: For example `since 2026-11-26T10:00:00Z`, or `for 5 s`.
  package static func unanswered(spool: String, _ since: String) -> SpoolError {
    SpoolError(
      kind: .unanswered, message: "the spool \(spool) does not answer (\(since))",
      hint: "check the file system that it is on, and the server behind it")
  }

  /// The system refused to do `action` (a phrase such as `open done/`) with the `errno` value `code`.
  package init(_ action: String, code: Int32) {
    let (kind, hint): (Kind, String?) =
      switch code {
      case ENOSPC, EDQUOT: (.noSpace, "make room on the file system of the spool")
      case EIO: (.disk, "look at the system log: the disk may be failing")
      case EROFS: (.disk, "the file system is mounted read-only; look at the system log")
      case EACCES, EPERM: (.permission, "see that the user that runs this may read and write there")
      case ENOENT: (.missing, nil)
      case ENOTDIR: (.system, "there must be a folder, no file and no symbolic link")
      case ELOOP: (.notRegular, nil)
      case EXDEV: (.system, "keep all folders of the spool on one file system")
      case EMFILE, ENFILE: (.system, "raise the limit of open files")
      default: (.system, nil)
      }
    self.init(kind: kind, message: "cannot \(action): \(SystemFault.text(code))", hint: hint, code: code)
  }
}
