import Registration

/// A table in JSON: arrays that are its rows, and the titles of its columns, in the first row or in a member of the object.
/// The titles mean the same as the header of a CSV list.
struct JSONTable {
  /// Tokens that are read at most to find out whether there are titles.
  private static let most = 2_000

  /// Nil when the rows cannot be read.
  private let header: CSVHeader?
  /// Why they cannot.
  let refusal: InvalidReason?
  /// There was something beside the rows: a bracket is missing.
  var isDamaged = false
  /// The next row is that of the titles.
  private var isTitles: Bool
  private var row = Row()

  private struct Row {
    var line = 0
    var values = 0
    var found: KeyListEntry?
    var rival: AppKeyID?
    var otherType: String?
    var isBroken = false
  }

  /// The name of the column with the keys.
  var name: String? { header?.name }

  /// Nil when these are no titles.
  ///
  /// - Parameter firstRow: How many values and ids the first row has, nil when they are not known.
  init?(titles: [[UInt8]], firstRow: (values: Int, ids: Int)? = nil) {
    isTitles = firstRow != nil
    do {
      if let header = try CSVHeader(names: titles) {
        (self.header, refusal) = (header, nil)
        return
      }
    } catch {
      (header, refusal) = (nil, .unclear(.titles(error.message)))
      return
    }
    header = nil
    if titles.isEmpty {
      refusal = .unclear(
        .titles("a table for which there are different titles: submit each table as a list of its own"))
      return
    }
    guard firstRow.map({ $0.ids > 0 }) ?? true else { return nil }
    if let other = titles.first(where: { IDName.meaning(of: $0) == .other }) {
      refusal = .other(.column(InvalidLine.shown(other, characters: 40)))
    } else if titles.count > 1, firstRow.map({ $0.values == titles.count }) ?? true {
      refusal = .unclear(.titles(CSVHeader.unknown(CSVFields(titles))))
    } else {
      return nil
    }
  }

  private init(refusal: InvalidReason) {
    (header, isTitles, self.refusal) = (nil, true, refusal)
  }

  /// A table whose titles are broken.
  private static var broken: JSONTable {
    let what = "the first row of the table is broken: what its columns are is not clear"
    return JSONTable(refusal: .unclear(.titles(what)))
  }

  /// The table whose first row begins at the start of `bytes`, behind its bracket, if that row has titles and another one
  /// follows. `isCut` says that the list ends before that is certain.
  static func begin(at bytes: ListBytes) throws(KeyListError) -> (table: JSONTable?, isCut: Bool) {
    var (bytes, tokens) = (bytes, JSONTokens(isInLine: true))
    var titles: [[UInt8]] = []
    var isBroken = false
    var token = try tokens.next(&bytes)
    while token.kind != .endArray, titles.count < most {
      switch token.kind {
      case .string where KeyIDText.isKey(tokens.text[...]): return (nil, false)
      case .string: titles.append(tokens.text)
      case .comma: break
      case .garbage:
        titles.append(tokens.text)
        isBroken = true
      case .openString where !titles.isEmpty, .beginArray where titles.count > 1: return (.broken, false)
      case let kind: return (nil, kind == .end)
      }
      token = try tokens.next(&bytes)
    }
    if isBroken { return (titles.count > 1 ? .broken : nil, false) }
    repeat { token = try tokens.next(&bytes) } while token.kind == .comma
    if token.kind == .string, titles.count > 1, let table = JSONTable(titles: titles, firstRow: (0, 0)) {
      return (table, false)
    }
    guard token.kind == .beginArray, !titles.isEmpty else { return (nil, token.kind == .end) }
    var (values, ids, depth) = (0, 0, 1)
    for _ in 0..<most where depth > 0 {
      token = try tokens.next(&bytes)
      switch token.kind {
      case .beginArray, .beginObject:
        if depth == 1 { values += 1 }
        depth += 1
      case .endArray, .endObject: depth -= 1
      case .string where depth == 1:
        values += 1
        if KeyIDText.isKey(tokens.text[...]) { ids += 1 }
      case .scalar where depth == 1: values += 1
      case .end: return (JSONTable(titles: titles, firstRow: (values, ids)), true)
      default: break
      }
    }
    return (JSONTable(titles: titles, firstRow: (values, ids)), false)
  }

  mutating func beginRow(line: Int) {
    row = Row()
    row.line = line
  }

  /// Takes in the next value of the row: what it is in the place of a key, and its text if it is a string.
  mutating func add(_ entry: KeyListEntry, text: [UInt8]? = nil) {
    defer { row.values += 1 }
    guard let header else { return }
    switch row.values {
    case header.column:
      row.found = text?.isEmpty == true || Self.isNull(entry) ? nil : entry
    case header.rival:
      if case .key(let id, _) = entry { row.rival = id }
    case header.type:
      if let text, JSONType.isOther(named: text) { row.otherType = InvalidLine.shown(text, characters: 40) }
    default: break
    }
  }

  /// A value is missing in the row, so that others are not in their places.
  mutating func breakRow() { row.isBroken = true }

  /// What the row has in the column of the keys. Nil for an empty row and that of the titles.
  mutating func endRow() -> KeyListEntry? {
    let (wasTitles, row) = (isTitles, row)
    isTitles = false
    guard let header else { return wasTitles ? refusal.map { invalid($0) } : nil }
    if wasTitles || row.values == 0 { return nil }
    if row.isBroken || row.values > header.columns {
      return invalid(.value(.row(values: row.values, titles: header.columns)))
    }
    guard let found = row.found else { return invalid(.record(.empty(column: header.name))) }
    guard case .key(let id, _) = found else { return found }
    if let rival = row.rival, rival != id { return invalid(.unclear(.differentColumns)) }
    if let type = row.otherType { return invalid(.other(.type(type))) }
    return found
  }

  private func invalid(_ reason: InvalidReason) -> KeyListEntry {
    .invalid(InvalidLine(line: row.line, text: "[…]", reason: reason))
  }

  private static func isNull(_ entry: KeyListEntry) -> Bool {
    if case .invalid(let line) = entry { line.text == "null" && line.reason == .value(.scalar) } else { false }
  }
}
