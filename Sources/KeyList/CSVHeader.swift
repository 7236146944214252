/// The header record of a CSV list: which column holds the key ids, and what separates the fields.
struct CSVHeader: Hashable {
  /// The names of a column of key ids in lower-case letters and digits, however the header spells them, the most
  /// specific ones first. Names of one rank mean the same.
  private static let ranks = [["appkeyid", "applicationkeyid"], ["keyid"], ["uuid"], ["id"]]
  /// The same for display.
  static let accepted = "app_key_id, key_id, uuid or id"
  private static let separators = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")]

  /// The name as spelled in the header.
  var name: String
  /// The column of that name, from 0.
  var column: Int
  /// The names of all columns, as they are.
  var names: [[UInt8]]
  /// How many columns the header has.
  var columns: Int { names.count }
  /// The rank of `name`: 0 for the most specific.
  private(set) var rank: Int
  /// A column `id` beside the column `uuid`. Neither is more specific: different ids in them are no keys.
  private(set) var rival: Int?
  /// The column that says what a row is, unless `name` says that it is an application key.
  private(set) var type: Int?
  /// Another column has ids, or may have ids according to its name, and comes after that of the key ids.
  private(set) var hasIDsBehind: Bool
  var separator: UInt8
  /// Where the header is: its first line, and how many bytes and line ends it has.
  var line = 1
  var length: Int
  var innerLines: Int

  /// Nil when no header with a column of key ids begins at the start of `text` and ends within it. Throws when two
  /// columns have equivalent names.
  init?(at text: ArraySlice<UInt8>) throws(KeyListError) {
    try self.init(anyOf: Self.separators.compactMap { CSVFields(at: text, separator: $0) })
  }

  /// The titles of a table that is not CSV.
  init?(names: [[UInt8]]) throws(KeyListError) { try self.init(anyOf: [CSVFields(names)]) }

  private init?(anyOf candidates: [CSVFields]) throws(KeyListError) {
    var best: (fields: CSVFields, columns: [Int])?
    for fields in candidates where fields.fields.count > best?.fields.fields.count ?? 0 {
      let columns = Self.columns(in: fields)
      if !columns.isEmpty { best = (fields, columns) }
    }
    guard let best, let column = best.columns.first else { return nil }
    guard best.columns.count == 1 else {
      let names = best.columns.map { "\($0 + 1) (\(best.fields.shown($0)))" }.joined(separator: " and ")
      throw KeyListError(
        kind: .ambiguous, message: "the header names the column of key ids twice: columns \(names)", line: 1,
        hint: "keep that name only for the column that holds the ids of application keys")
    }
    name = best.fields.shown(column)
    self.column = column
    names = best.fields.fields
    separator = best.fields.separator
    length = best.fields.length
    innerLines = best.fields.innerLines
    rank = Self.rank(of: names[column]) ?? 0
    let spellings = names.map(Self.normalized)
    rival = rank == 2 ? spellings.firstIndex { Self.ranks[3].contains($0) } : nil
    type =
      rank == 0
      ? nil
      : spellings.firstIndex {
        ["type", "kind", "objecttype", "resourcetype", "assettype", "entitytype", "entity", "object"].contains($0)
      }
    hasIDsBehind = names[(column + 1)...].contains { IDName.mayNameIDs($0) }
  }

  /// Whether `other` has the same names in the same order.
  func isSame(as other: CSVHeader) -> Bool { names.map(Self.normalized) == other.names.map(Self.normalized) }

  /// A header whose first name begins with a number sign, such as `#channel,app_key_id` followed by rows with the same
  /// number of columns. Nil for a comment: the next line has other columns.
  init?(signAt text: ArraySlice<UInt8>, isWhole: Bool) {
    guard let header = try? CSVHeader(at: text), header.columns > 1, header.length < text.count else { return nil }
    var lines = SampleLines(text, isWhole: isWhole, firstLine: 1)
    _ = lines.next()
    guard let row = lines.next().flatMap({ CSVFields(at: $0.text, separator: header.separator) }),
      row.fields.count == header.columns
    else { return nil }
    self = header
  }

  /// The columns whose names have the best rank in the header.
  private static func columns(in fields: CSVFields) -> [Int] {
    let found = fields.fields.map(rank)
    guard let best = found.compactMap(\.self).min() else { return [] }
    return found.indices.filter { found[$0] == best }
  }

  /// The rank of a name, 0 for the most specific; nil for any other column, such as the `_id` of a database's own.
  static func rank(of name: [UInt8]) -> Int? {
    if name.first == UInt8(ascii: "_") { return nil }
    let name = normalized(name)
    return ranks.firstIndex { $0.contains(name) }
  }

  private static func normalized(_ field: [UInt8]) -> String {
    let bytes = Edges.peeled(CleanText.clean(field[...])).compactMap { byte -> UInt8? in
      switch byte {
      case UInt8(ascii: "-"), UInt8(ascii: "_"): nil
      case _ where Edges.isSpace(byte): nil
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
      default: byte
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether `line` is a header with a column for ids of something else.
  static func hasOtherIDs(_ line: ArraySlice<UInt8>) -> Bool {
    separators.contains { separator in
      guard line.contains(separator), let names = CSVFields(at: line, separator: separator)?.fields else {
        return false
      }
      return names.count > 1 && names.contains { IDName.isOfOtherIDs($0) }
        && names.allSatisfy { $0.count <= TextHeading.longestName && $0.allSatisfy(TextHeading.isNameByte) }
    }
  }

  /// Whether `line` has titles of columns that spaces align, as terminals show tables, and one of them is known:
  /// `Name    Key ID`. The lines below show where the ids are.
  static func isTitles(_ line: ArraySlice<UInt8>) -> Bool {
    let titles = titles(in: line)
    return titles.count > 1 && titles.contains { rank(of: $0) != nil }
  }

  /// What at least two spaces part in `line`.
  static func titles(in line: ArraySlice<UInt8>) -> [[UInt8]] {
    var titles: [[UInt8]] = [[]]
    var spaces = 0
    for byte in line {
      spaces = byte == UInt8(ascii: " ") ? spaces + 1 : 0
      if spaces == 2 { titles.append([]) } else if spaces < 2 { titles[titles.count - 1].append(byte) }
    }
    return titles
  }

  /// What to report about the line at the start of `text` if it looks like a header without a known name: `next`, the
  /// line after it, has the same number of fields, and one of them is an id.
  static func unknown(at text: ArraySlice<UInt8>, next: ArraySlice<UInt8>) -> String? {
    for separator in separators {
      guard let names = CSVFields(at: text, separator: separator), names.fields.count > 1,
        let values = CSVFields(at: next, separator: separator), values.fields.count == names.fields.count,
        values.fields.contains(where: { if case .key = KeyIDText.read($0[...]) { true } else { false } }),
        !names.fields.contains(where: { if case .key = KeyIDText.read($0[...]) { true } else { false } })
      else { continue }
      return unknown(names)
    }
    return nil
  }

  /// The same for a header with line ends in its quotes, and whatever comes below.
  static func unknown(ofSeveralLines text: ArraySlice<UInt8>) -> String? {
    for separator in separators {
      guard let names = CSVFields(at: text, separator: separator), names.innerLines > 0 else { continue }
      let below = text.dropFirst(names.length).drop(while: Edges.isLineEnd).prefix { !Edges.isLineEnd($0) }
      if let message = unknown(at: text, next: below) { return message }
    }
    return nil
  }

  static func unknown(_ names: CSVFields) -> String {
    let shown = names.fields.indices.prefix(8).map(names.shown).joined(separator: ", ")
    return "the header has no column of key ids: it has \(shown); one of them must be \(accepted)"
  }
}
