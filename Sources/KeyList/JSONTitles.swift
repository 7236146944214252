/// The titles of a table that a JSON object has, as databases and their clients write it:
/// `{"columns":["id"],"rows":[[…]]}`, `{"columns":[{"name":"id"}],"data":[[…]]}`.
enum JSONTitles {
  /// Members with the titles, and the members of a column with its own.
  private static let members = [
    "columns", "cols", "fields", "headers", "header", "column_names", "columnNames", "meta",
  ]
  private static let ofColumn = ["name", "title", "label", "field", "column", "key", "column_name"]
  /// Tokens that are read at most.
  private static let most = 2_000

  static func isMember(_ name: [UInt8]) -> Bool {
    name.count <= 12 && members.contains { name.elementsEqual($0.utf8) }
  }

  /// A title, for display, that says that the table has ids of something else. Nil when none does, or when one does that
  /// holds no ids and another names those of keys.
  ///
  /// - Parameter bytes: The list from after the bracket of the titles.
  static func other(in bytes: ListBytes) throws(KeyListError) -> String? {
    var bytes = bytes
    let titles = try titles(in: &bytes)
    let isOfKeys = titles.contains(where: isOfKeys)
    var other = titles.first { isOfKeys ? IDName.isOfOtherIDs($0) : IDName.meaning(of: $0) == .other }
    if other == nil, titles.count > 1 { other = try titleOfSecondID(titles, in: bytes) }
    return other.map { InvalidLine.shown($0, characters: 40) }
  }

  private static func isOfKeys(_ title: [UInt8]) -> Bool { CSVHeader.rank(of: title) != nil || IDName.isKey(title) }

  /// The title of a column with ids beside that of keys, going by the first row that has two ids. Nil when there is none
  /// near.
  ///
  /// - Parameter bytes: The list from after the titles.
  private static func titleOfSecondID(_ titles: [[UInt8]], in bytes: ListBytes) throws(KeyListError) -> [UInt8]? {
    var bytes = bytes
    var tokens = JSONTokens(isInLine: true)
    var (column, ids) = (0, [Int]())
    for _ in 0..<most {
      switch try tokens.next(&bytes).kind {
      case .beginArray: (column, ids) = (0, [])
      case .string:
        if KeyIDBytes.id(tokens.text[...]) != nil { ids.append(column) }
        column += 1
      case .scalar: column += 1
      case .endArray where ids.count > 1:
        let others = ids.filter { !titles.indices.contains($0) || !isOfKeys(titles[$0]) }
        return others.first.map { titles.indices.contains($0) ? titles[$0] : [] } ?? titles[ids[0]]
      case .end: return nil
      default: break
      }
    }
    return nil
  }

  /// - Parameter bytes: Ends after the titles.
  static func titles(in bytes: inout ListBytes) throws(KeyListError) -> [[UInt8]] {
    var tokens = JSONTokens(isInLine: true)
    var titles: [[UInt8]] = []
    var member: [UInt8] = []
    var depth = 1
    for _ in 0..<most {
      switch try tokens.next(&bytes).kind {
      case .beginArray, .beginObject: depth += 1
      case .endArray, .endObject: depth -= 1
      case .string where depth == 1: titles.append(tokens.text)
      case .string where depth == 2:
        let text = tokens.text
        if try tokens.isBefore(UInt8(ascii: ":"), &bytes) {
          member = text
        } else if ofColumn.contains(where: { member.elementsEqual($0.utf8) }) {
          titles.append(text)
        }
      case .end: return titles
      default: break
      }
      if depth == 0 { return titles }
    }
    return titles
  }
}
