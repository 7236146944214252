import Foundation
import Glibc
import Registration

/// A small file beside the queue: the number of a commit that was safe on disk, and how the last run ended.
///
/// It is written after the commit it names, never before. So whatever a kill or a power cut leaves, the queue has at
/// least that commit. A queue without it is an older copy, or has lost its log. A mark that is older than the queue is
/// still right. The checksum at its end distinguishes a damaged mark from an older queue.
struct QueueMark: Hashable, Sendable {
  enum State: String, Sendable {
    /// A daemon is running, or was killed.
    case open
    /// The last run ended cleanly.
    case closed
    /// Damage was found; the queue is checked before anything is written again.
    case damaged
  }

  var commit: CommitNumber
  var state: State

  /// The name under which a queue notes that a mark is beside it. Only afterwards is a missing one a loss.
  static let noted = "marked"

  static func path(of queue: String) -> String { queue + ".mark" }

  /// Whether there is one, damaged or not.
  static func exists(of queue: String) -> Bool { access(path(of: queue), F_OK) == 0 || errno != ENOENT }

  /// Nil when there is none, or it cannot be read.
  static func read(of queue: String) -> QueueMark? {
    guard let data = FileManager.default.contents(atPath: path(of: queue)), data.count < 256 else { return nil }
    return QueueMark(String(decoding: data, as: UTF8.self))
  }

  /// Replaces the file, and syncs it. Throws `SystemFault`.
  func write(of queue: String) throws(SystemFault) {
    let path = Self.path(of: queue)
    let temporary = path + ".tmp"
    let descriptor = try FileIO.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
    do {
      defer { close(descriptor) }
      let text = text
      try FileIO.write(text.utf8.span.bytes, to: descriptor)
      try FileIO.sync(descriptor)
    }
    guard rename(temporary, path) == 0 else { throw SystemFault(code: errno) }
    try FileIO.syncFolder(of: path)
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
