package import KeyList

/// Why a list cannot be used at all, as written to `rejected/NAME.reason.txt`.
package struct Rejection: Hashable, Sendable {
  /// What is wrong, in one line.
  package var what: String
  /// The line where the problem shows, from 1.
  package var line: Int?
  /// How to fix it.
  package var hint: String
  /// How many bytes of the list were read and how many it has, if reading ended early.
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
    self.init(what: error.message, hint: error.hint ?? "make sure that the file can be read")
  }

  /// A list in which no line is a key id. `invalid` are its first bad lines, none when the list is empty.
  package static func noValidKey(invalid: [InvalidLine], invalidCount: Int) -> Rejection {
    let form = """
      write one key id a line, such as 01234567-89ab-cdef-0123-456789abcdef, or CSV with a header line and a column \
      app_key_id, key_id, uuid or id, or JSON
      """
    let hint =
      invalid.contains(where: \.reason.isOfOther) ? otherIDs : invalid.contains(where: \.holdsID) ? idsAlone : form
    guard let firstInvalid = invalid.first else { return Rejection(what: "the list contains no keys", hint: hint) }
    let shown = firstInvalid.text.isEmpty ? "" : " (\"\(firstInvalid.text)\")"
    return Rejection(
      what: "no valid key; bad lines: \(invalidCount), the first\(shown): \(firstInvalid.reason)",
      line: firstInvalid.line, hint: hint)
  }

  /// The hint when ids stand among other text.
  private static let idsAlone = """
    keep only the ids of application keys, one a line; if there are no other ids in it: \
    grep -oiE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' FILE
    """

  /// The hint when ids are said to be those of something else.
  private static let otherIDs = """
    submit the ids of application keys, as the list of application keys shows them; if these are such ids, name them \
    app_key_id
    """

  /// The reason in one line, after its place: `line 3: …`, or `keys.txt:3: …` with the name of the file.
  package func sentence(in file: String? = nil) -> String {
    let place: String? =
      if let file { line.map { "\(file):\($0)" } ?? file } else { line.map { "line \($0)" } }
    return (place.map { $0 + ": " } ?? "") + what
  }

  /// The text of the reason file.
  package func document(list: ListName) -> String {
    let line = line.map { "line: \($0)\n" } ?? ""
    let extent = extent.map { "read: to byte \($0.read) of \($0.size)\n" } ?? ""
    return "list: \(list)\nwhat: \(what)\n\(line)\(extent)hint: \(hint), then drop the list again\n"
  }
}
