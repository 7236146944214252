/// The recorded outcome of one key, as `outcomes`, `results/NAME.csv` and the control socket show it.
package struct Outcome: Hashable, Sendable {
  package var id: AppKeyID
  package var state: KeyState
  /// The status of the last reply, nil when there was none.
  package var httpStatus: Int?
  /// Attempts that count against the key: 429, outages and refused credentials do not.
  package var attempts: Int
  package var firstAttemptAt: Timestamp?
  package var finishedAt: Timestamp?
  package var errorTitle: String?
  package var errorDetail: String?
  /// The name of the requested list, or of the list that brought the key.
  package var list: String

  package init(
    id: AppKeyID, state: KeyState, httpStatus: Int? = nil, attempts: Int = 0, firstAttemptAt: Timestamp? = nil,
    finishedAt: Timestamp? = nil, errorTitle: String? = nil, errorDetail: String? = nil, list: String
  ) {
    self.id = id
    self.state = state
    self.httpStatus = httpStatus
    self.attempts = attempts
    self.firstAttemptAt = firstAttemptAt
    self.finishedAt = finishedAt
    self.errorTitle = errorTitle
    self.errorDetail = errorDetail
    self.list = list
  }
}

extension Outcome {
  /// The columns in order, for CSV headers and table headings.
  package static let columns = [
    "app_key_id", "state", "http_status", "attempts", "first_attempt_at", "finished_at", "error_title", "error_detail",
    "list",
  ]

  /// The values in the order of `columns`; unknown values are empty.
  package var fields: [String] {
    [
      id.description, state.name, httpStatus.map(String.init) ?? "", String(attempts),
      firstAttemptAt?.description ?? "", finishedAt?.description ?? "", errorTitle ?? "", errorDetail ?? "", list,
    ]
  }

  /// The header line of the CSV form, with its line feed.
  package static let csvHeader = columns.joined(separator: ",") + "\n"

  /// The header line with more columns. One that has the name of one of ours is marked: many programs would read it instead.
  package static func csvHeader(with names: [String]) -> String {
    let more = names.map { name in
      let shown = SecretText.redacted(columns.contains(name) ? "given_" + name : name)
      return "," + quoted(PrintableText.escape(shown, limit: longestField))
    }
    return String(csvHeader.dropLast()) + more.joined() + "\n"
  }

  /// The longest field of a list that is passed on, in characters.
  private static let longestField = 1_000

  /// One line of CSV (RFC 4180 quoting, line feed at the end). Control characters are escaped so that a record is one
  /// line, and foreign text cannot become a formula.
  package var csvLine: String { csvRecord + "\n" }

  /// The line with fields of a list behind ours: as they were, so that people can join by them, but cut, without what
  /// looks like a secret, and without characters that control a terminal. With line ends in it a field is quoted, and the
  /// record has several lines.
  package func csvLine(with fields: [String]) -> String {
    let more = fields.map { field in
      "," + Self.quoted(PrintableText.excerpt(field: SecretText.redacted(field), limit: Self.longestField))
    }
    return csvRecord + more.joined() + "\n"
  }

  private var csvRecord: String {
    // The first six fields are our own and need no quotes.
    var line = "\(id),\(state.name),"
    if let httpStatus { line += String(httpStatus) }
    line += ",\(attempts),"
    if let firstAttemptAt { line += firstAttemptAt.description }
    line += ","
    if let finishedAt { line += finishedAt.description }
    for text in [errorTitle, errorDetail, list] {
      line += ","
      if let text { line += Self.quoted(PrintableText.escape(text, limit: .max)) }
    }
    return line
  }

  /// Spreadsheets take a field that begins like this for a formula and may execute it, quoted or not. An apostrophe
  /// before it makes it text (OWASP, CSV injection). Control characters are already escaped.
  private static func harmless(_ field: String) -> String {
    // Most fields start with a letter or digit, and looking up Unicode properties is slow.
    if let byte = field.utf8.first, byte.isLetterOrDigit { return field }
    guard let first = field.unicodeScalars.first(where: { !$0.properties.isWhitespace }) else { return field }
    return "=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".unicodeScalars.contains(first) ? "'" + field : field
  }

  /// - Parameter field: Without control characters, except white space.
  private static func quoted(_ field: String) -> String {
    let text = harmless(field)
    guard text.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}

extension UInt8 {
  fileprivate var isLetterOrDigit: Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
  }
}

extension Outcome: Encodable {
  private enum CodingKeys: String, CodingKey {
    case id = "app_key_id"
    case state
    case httpStatus = "http_status"
    case attempts
    case firstAttemptAt = "first_attempt_at"
    case finishedAt = "finished_at"
    case errorTitle = "error_title"
    case errorDetail = "error_detail"
    case list
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id.description, forKey: .id)
    try container.encode(state.name, forKey: .state)
    try container.encode(httpStatus, forKey: .httpStatus)
    try container.encode(attempts, forKey: .attempts)
    try container.encode(firstAttemptAt, forKey: .firstAttemptAt)
    try container.encode(finishedAt, forKey: .finishedAt)
    try container.encode(errorTitle, forKey: .errorTitle)
    try container.encode(errorDetail, forKey: .errorDetail)
    try container.encode(list, forKey: .list)
  }
}
