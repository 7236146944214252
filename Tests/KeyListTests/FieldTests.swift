import KeyList
import Testing

/// Rows without a header whose fields are parted by the same separator. `a` and `b` are keys, `c` never is.
struct FieldTests {
  private func shown(_ list: String) throws -> [String] {
    try entries(list).map { $0.contains("!") ? String($0.prefix { $0 != "!" }) + "!" : $0 }
  }

  /// An empty field, or one of several words, moves no other.
  @Test(
    arguments: [
      ("s,\(a),x\ns,\(b),y\ns,,\(c)\n", ["1 a", "2 b", "3!"]),
      (",\(a),x\n,\(b),y\n\(c),\(a),z\n", ["1 a", "2 b", "3 a", "3!"]),
      ("s,\(a)\ns,\(b)\nreplaces \(c),\(a)\n", ["1 a", "2 b", "3 a", "3!"]),
      ("s,\(a),\ns,\(b),\ns,\(a),\(c)\n", ["1 a", "2 b", "3 a", "3!"]),
      ("first key,\(a)\nx,\(b)\ny,\n", ["1 a", "2 b", "3!"]), ("\"x\",\(a)\n\"x, y\",\(b)\n", ["1 a", "2 b"]),
      ("\(a),x\n\(b),y\n,\(c)\n", ["1 a", "2 b", "3!"]), ("\(a),x\n\(b),\n", ["1 a", "2 b"]),
      ("s,\(a),x\n\(b)\ns,\(a),y # new\n", ["1 a", "2 b", "3 a"]),
    ], [",", ";", "\t", "|"])
  func theFieldDecides(_ example: (list: String, expected: [String]), separator: String) throws {
    #expect(try shown(example.list.replacing(",", with: separator)) == example.expected)
  }

  @Test func aPrintedTableWithoutTitlesHasBorders() throws {
    #expect(try shown("| s | \(a) | x |\n| s | \(b) | y |\n| s |  | \(c) |\n") == ["1 a", "2 b", "3!"])
    var reader = KeyListReader(bytes: "| \(a) | x |\n| \(b) | y z |\n".utf8)
    _ = try reader.all()
    #expect(reader.format?.description == "text, column 1" && reader.format?.column == "1")
  }

  @Test func theReasonNamesTheField() throws {
    let rows = "s,\(a),x\n".repeated(3_000)
    #expect(
      try entries(rows + "s,,\(c)\ns,x,\(c)\n\(c),x\n\(b)\n").suffix(4) == [
        "3001! s,,\(c) | the column 2 is empty",
        "3002! s,x,\(c) | not a UUID (8-4-4-4-12 hexadecimal)",
        "3003! \(c),x | 2 fields where the other rows have 3: which is which is not clear",
        "3004 b",
      ])
  }

  /// At either end, an extra separator in the words beside the id moves nothing.
  @Test func rowsBehindTheSampleMayHaveMoreFields() throws {
    let first = "\(a),x\n".repeated(3_000) + "\(b),x, y\n\(b)\n,\(c)\n\(b) z\n"
    #expect(try entries(first).compactMap(\.key) == ["3001 b", "3002 b", "3004 b"])
    let last = "x,\(a)\n".repeated(3_000) + "x, y,\(b)\n\(b)\n\(c),\n"
    #expect(try entries(last).compactMap(\.key) == ["3001 b", "3002 b"])
  }

  /// Where all words are ids, several on a line are several keys, and rows of two are a table.
  @Test func withoutOtherWordsNothingChanges() throws {
    #expect(try shown("\(a),\n\(b),\n\(a),\(b)\n") == ["1 a", "2 b", "3 a", "3 b"])
    #expect(try shown("\(a), \(b)\n\(a)\n") == ["1 a", "1 b", "2 a"])
    #expect(throws: KeyListError.self) { try entries("s,\(c),\(a)\n".repeated(9) + "s,,\(b)\n") }
    // Rows of different lengths are counted in words.
    #expect(try shown("\(a),x\n\(b),x,y\n\(a) z\n") == ["1 a", "2 b", "3 a"])
  }
}

extension String {
  fileprivate func repeated(_ times: Int) -> String { String(repeating: self, count: times) }

  /// An entry of a key behind the sample.
  fileprivate var key: String? { contains("!") || hasSuffix(" a") ? nil : self }
}
