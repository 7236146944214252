/// The answer to `POST /v1/lists?dry_run=`: what submitting the list would do. Nothing is changed and nothing sent.
package struct PreviewDocument: Codable, Equatable, Sendable {
  /// The list's keys, each counted once.
  package struct Keys: Codable, Equatable, Sendable {
    /// Keys that no list has brought so far.
    package var new: Int
    /// Keys that are in the queue already, in any state.
    package var known: Int
    /// Of the known ones, those that are registered.
    package var registered: Int
    /// Repetitions within the list; null when the list has too many keys to tell.
    @ExplicitNull package var duplicateInList: Int?
    /// Bad lines.
    package var invalid: Int

    package init(new: Int = 0, known: Int = 0, registered: Int = 0, duplicateInList: Int? = 0, invalid: Int = 0) {
      self.new = new
      self.known = known
      self.registered = registered
      _duplicateInList = ExplicitNull(wrappedValue: duplicateInList)
      self.invalid = invalid
    }

    private enum CodingKeys: String, CodingKey {
      case new, known, registered, invalid
      case duplicateInList = "duplicate_in_list"
    }
  }

  /// A bad line, as in receipts.
  package struct Line: Codable, Equatable, Sendable {
    package var line: Int
    package var text: String
    package var reason: String

    package init(line: Int, text: String, reason: String) {
      (self.line, self.text, self.reason) = (line, text, reason)
    }
  }

  /// The name that was asked for.
  @ExplicitNull package var list: String?
  package var bytes: Int
  /// `text`, `csv` or `json`.
  package var format: String
  @ExplicitNull package var column: String?
  package var keys: Keys
  /// The first bad lines, at most 1,000.
  package var invalid: [Line]
  package var invalidTruncated: Bool
  package var unterminated: Bool
  /// Requests that the list would cause.
  package var requests: Int
  /// Seconds that these take at the known limit, without what others use; null when no limit is known.
  @ExplicitNull package var seconds: Int?
  /// The same with the keys that are open already.
  @ExplicitNull package var etaSeconds: Int?
  /// The limit behind these times, such as `400/1h`.
  @ExplicitNull package var limit: String?

  package init(
    list: String?, bytes: Int, format: String, column: String?, keys: Keys, invalid: [Line],
    isUnterminated: Bool, requests: Int, seconds: Int?, etaSeconds: Int?, limit: String?
  ) {
    _list = ExplicitNull(wrappedValue: list)
    self.bytes = bytes
    self.format = format
    _column = ExplicitNull(wrappedValue: column)
    self.keys = keys
    self.invalid = invalid
    invalidTruncated = keys.invalid > invalid.count
    unterminated = isUnterminated
    self.requests = requests
    _seconds = ExplicitNull(wrappedValue: seconds)
    _etaSeconds = ExplicitNull(wrappedValue: etaSeconds)
    _limit = ExplicitNull(wrappedValue: limit)
  }

  private enum CodingKeys: String, CodingKey {
    case list, bytes, format, column, keys, invalid, unterminated, requests, seconds, limit
    case invalidTruncated = "invalid_truncated"
    case etaSeconds = "eta_seconds"
  }
}
