import Glibc
import Registration

/// Why an operation in the spool failed, and what the operator can do about it.
package struct SpoolError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// The disk is full, or over its quota.
    case noSpace
    /// The disk fails, or is read-only.
    case disk
    /// The file system does not respond: whether an operation in progress will still happen is not known.
    case unanswered
    /// Access is refused.
    case permission
    /// The file does not exist (any more).
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
  /// The system's error number, 0 when the system did not refuse.
  package var code: Int32

  package init(kind: Kind, message: String, hint: String? = nil, code: Int32 = 0) {
    self.kind = kind
    self.message = message
    self.hint = hint
    self.code = code
  }

  /// True when the disk is to blame and no list: the same operation will succeed once the disk works.
  package var isDiskFault: Bool { kind == .noSpace || kind == .disk || kind == .unanswered }
}

extension SpoolError: CustomStringConvertible {
  package var description: String { message }
}

extension SpoolError {
  /// - Parameter since: For example `since 2026-11-26T10:00:00Z`, or `for 5 s`.
  package static func unanswered(spool: String, _ since: String) -> SpoolError {
    SpoolError(
      kind: .unanswered, message: "the spool \(spool) has not answered \(since)",
      hint: "check its file system, and the server if it is a network mount")
  }

  /// The system refused to do `action` (a phrase such as `open done/`) with the `errno` value `code`.
  package init(_ action: String, code: Int32) {
    let (kind, hint): (Kind, String?) =
      switch code {
      case ENOSPC, EDQUOT: (.noSpace, "free space on the file system of the spool")
      case EIO: (.disk, "look at the system log: the disk may be failing")
      case EROFS: (.disk, "the file system is mounted read-only; look at the system log")
      case EACCES, EPERM: (.permission, "make sure that the user that runs this can read and write there")
      case ENOENT: (.missing, nil)
      case ENOTDIR: (.system, "it must be a folder, not a file or a symbolic link")
      case ELOOP: (.notRegular, nil)
      case EXDEV: (.system, "keep all folders of the spool on one file system")
      case EMFILE, ENFILE: (.system, "raise the limit of open files")
      default: (.system, nil)
      }
    self.init(kind: kind, message: "cannot \(action): \(SystemFault(code: code).text)", hint: hint, code: code)
  }
}
