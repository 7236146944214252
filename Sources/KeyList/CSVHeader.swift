/// The header line of a CSV list: which column holds the key ids, and what separates the fields.
struct CSVHeader: Hashable {
  /// The columns that can hold key ids, the best first.
  static let names = ["app_key_id", "key_id", "id"]
  private static let separators = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")]

  var name: String
  /// The column of that name, from 0.
  var column: Int
  /// How many columns the header has.
  var columns: Int
  var separator: UInt8

  /// Nil when `line` is no header that names a column of key ids. A name counts in either case, with spaces and
  /// hyphens for underscores.
  init?(line: ArraySlice<UInt8>) {
    let candidates = Self.separators.compactMap { Self.header(line, separator: $0) }
    guard let header = candidates.max(by: { $0.columns < $1.columns }) else { return nil }
    self = header
  }

  private init(name: String, column: Int, columns: Int, separator: UInt8) {
    self.name = name
    self.column = column
    self.columns = columns
    self.separator = separator
  }

  private static func header(_ line: ArraySlice<UInt8>, separator: UInt8) -> CSVHeader? {
    let fields = line.split(separator: separator, omittingEmptySubsequences: false).map(normalized)
    for name in names {
      guard let column = fields.firstIndex(of: name) else { continue }
      return CSVHeader(name: name, column: column, columns: fields.count, separator: separator)
    }
    return nil
  }

  private static func normalized(_ field: ArraySlice<UInt8>) -> String {
    String(
      decoding: Edges.stripped(field).map { byte in
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "-"): UInt8(ascii: "_")
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        default: byte
        }
      }, as: UTF8.self)
  }
}
