package import KeyList

/// Why a list cannot be used at all, as `rejected/NAME.reason.txt` tells it.
package struct Rejection: Hashable, Sendable {
  /// What is wrong, in one line.
  package var what: String
  /// The line in the list where it shows, from 1.
  package var line: Int?
  /// How to mend it.
  package var hint: String
  /// Bytes of the list that were read and bytes that it has, where reading ended early.
  package var extent: Extent?

  package struct Extent: Hashable, Sendable {
    package var read: Int64
    package var size: Int64

    package init(read: Int64, size: Int64) {
      self.read = read
      self.size = size
    }
  }

  package init(what: String, line: Int? = nil, hint: String, extent: Extent? = nil) {
    self.what = what
    self.line = line
    self.hint = hint
    self.extent = extent
  }

  package init(_ error: KeyListError) {
    self.init(what: error.message, line: error.line, hint: error.hint)
  }

  package init(_ error: SpoolError) {
    self.init(what: error.message, hint: error.hint ?? "see that the file can be read, then drop it again")
  }

  /// A list in which no line is a key id. `firstInvalid` is the first bad line, nil when the list says nothing at all.
  package static func noValidKey(firstInvalid: InvalidLine?, invalidCount: Int) -> Rejection {
    let hint = "a list has one key id a line, a CSV header with a column app_key_id, key_id, uuid or id, or JSON"
    guard let firstInvalid else { return Rejection(what: "the list has no key in it", hint: hint) }
    let shown = firstInvalid.text.isEmpty ? "" : " (\"\(firstInvalid.text)\")"
    return Rejection(
      what: "no valid key; bad lines: \(invalidCount), the first\(shown): \(firstInvalid.reason)",
      line: firstInvalid.line, hint: hint)
  }

  /// The text of the reason file.
  package func document(list: ListName) -> String {
    let line = line.map { "line: \($0)\n" } ?? ""
    let extent = extent.map { "read: to byte \($0.read) of \($0.size)\n" } ?? ""
    return "list: \(list)\nwhat: \(what)\n\(line)\(extent)hint: \(hint), then drop the list again\n"
  }
}
