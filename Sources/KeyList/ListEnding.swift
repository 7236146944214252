/// How a list ended, as far as it was read: of use once the reader has given its last entry.
package struct ListEnding: Hashable, Sendable {
  /// Why a part of a list was not read, and how much. Bytes are those of the list as it lies on the disk.
  package struct CutShort: Hashable, Sendable {
    /// The line (from 1) of the error.
    package var line: Int
    /// Nothing between this byte and `end` was read. It is `total` when the list itself ends in the middle of a value.
    package var read: Int
    /// Where reading went on: the end of the list, unless an error in a document of one line cost the rest of that line.
    package var end: Int
    /// The list's bytes; 0 until its end was reached.
    package internal(set) var total = 0

    /// For receipts and reasons: `read to byte 36 of 36810`.
    package var description: String {
      end == total
        ? "read to byte \(read) of \(total)" : "\(end - read) bytes from byte \(read) on were not read"
    }
  }

  /// True when the last record has no line end, or the last value is not closed: it may be half of what is still to come.
  package internal(set) var isUnterminated = false
  /// The first part that was not read because of an error, nil when all was.
  package internal(set) var cutShort: CutShort?
  /// True once an entry hangs on where the list ends: with more bytes behind it, it could have been another.
  var isUnsettled = false

  /// The last record goes on to the end of the list.
  mutating func touchEnd() {
    isUnterminated = true
    isUnsettled = true
  }
}
