import Foundation
import Glibc

/// A note beside the queue: a commit that was safe on the disk, and how the last run ended.
///
/// It is written after the commit it names, never before, so that whatever a kill or a power cut leaves, the queue has at
/// least that commit: a queue that has not is an older copy, or has lost its log. A note that is older than the queue says
/// nothing wrong. The sum at its end tells a damaged note from a queue that went back.
struct QueueMark: Hashable, Sendable {
  enum State: String, Sendable {
    /// A daemon is at work, or was when it was killed.
    case open
    /// The last run ended well.
    case closed
    /// Damage was found; the queue is looked through before anything is written again.
    case damaged
  }

  var commit: CommitNumber
  var state: State

  static func path(of queue: String) -> String { queue + ".mark" }

  /// Nil when there is none, or none that reads.
  static func read(of queue: String) -> QueueMark? {
    guard let data = FileManager.default.contents(atPath: path(of: queue)), data.count < 256 else { return nil }
    return QueueMark(String(decoding: data, as: UTF8.self))
  }

  /// Replaces the note, through the disk. Throws `SystemError`.
  func write(of queue: String) throws(SystemError) {
    let path = Self.path(of: queue)
    let temporary = path + ".tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw SystemError(code: errno) }
    let bytes = Array(text.utf8)
    let isWritten = Glibc.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
    let code = errno == 0 ? EIO : errno
    close(descriptor)
    guard isWritten else { throw SystemError(code: code) }
    guard rename(temporary, path) == 0 else { throw SystemError(code: errno) }
    try Self.syncFolder(of: path)
  }

  /// Returns once the names in the folder of `path` are on the disk.
  static func syncFolder(of path: String) throws(SystemError) {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw SystemError(code: errno) }
  }

  init(commit: CommitNumber, state: State) {
    self.commit = commit
    self.state = state
  }

  /// Reads what `text` writes: `keyreg-queue 305419896 open 8f3a…`.
  init?(_ text: String) {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 4, words[0] == Self.label, let number = UInt32(words[1]), let commit = CommitNumber(number),
      let state = State(rawValue: String(words[2]))
    else { return nil }
    self.init(commit: commit, state: state)
    guard self.text == text else { return nil }
  }

  private static let label = "keyreg-queue"

  var text: String {
    let content = "\(Self.label) \(commit) \(state.rawValue)"
    return "\(content) \(String(Self.sum(content), radix: 16))\n"
  }

  /// FNV-1a (<https://www.rfc-editor.org/rfc/rfc9923>): against accidents, not against intent.
  private static func sum(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
