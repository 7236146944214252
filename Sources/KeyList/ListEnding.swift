import Registration

/// How a list ended, as far as it was read. Final once the reader has returned its last entry.
package struct ListEnding: Hashable, Sendable {
  /// Why a part of a list was not read, and how much. Bytes are those of the list on disk.
  package struct CutShort: Hashable, Sendable {
    /// The line (from 1) of the error.
    package var line: Int
    /// Nothing between this byte and `end` was read. It is `total` when the list itself ends in the middle of a value.
    package var read: Int
    /// Where reading continued: the end of the list, unless an error in a one-line document cost the rest of that line.
    package var end: Int
    /// The list's size in bytes; 0 until its end is reached.
    package internal(set) var total = 0

    /// For receipts and reasons: `read to byte 36 of 36810`.
    package var description: String {
      end == total
        ? "read to byte \(read) of \(total)" : "\((end - read).counted("byte")) from byte \(read) on not read"
    }
  }

  /// True when the last record has no line end, or the last value is not closed: more of it may be still to come.
  package internal(set) var isUnterminated = false
  /// The first part that was not read because of an error, nil when everything was read.
  package internal(set) var cutShort: CutShort?
  /// True once an entry depends on where the list ends: with more bytes after it, it could be another entry.
  var isUnsettled = false

  /// The last record extends to the end of the list.
  mutating func touchEnd() {
    isUnterminated = true
    isUnsettled = true
  }
}
