import KeyList
import Testing

/// Tables in JSON, whose titles mean the same as the header of a CSV list. `a` and `b` are keys, `c` never is.
struct TableTests {
  private static let titles = "[\"owner\",\"id\"]"
  private static let rows = "[\"\(c)\",\"\(a)\"],[\"\(c)\",\"\(b)\"]"
  private static let before = "\"columns\":\(titles)"

  @Test(arguments: [
    ("[\(titles),\(rows)]", ["1 a", "1 b"]), ("\(titles)\n[\"\(c)\",\"\(a)\"]\n[\"\(c)\",\"\(b)\"]\n", ["2 a", "3 b"]),
    ("[\(titles),\n[\"\(c)\",\"\(a)\"],\n[\"\(c)\",\"\(b)\"]]", ["2 a", "3 b"]),
    ("{\"values\":[\(titles),\(rows)]}", ["1 a", "1 b"]), ("{\"data\":[\(titles),\(rows)]}", ["1 a", "1 b"]),
    ("{\(before),\"rows\":[\(rows)]}", ["1 a", "1 b"]), ("{\"rows\":[\(rows)],\(before)}", ["1 a", "1 b"]),
    ("{\(before),\"index\":[0],\"data\":[[null,\"\(a)\"],[\"\(c)\",\"\(b)\"]]}", ["1 a", "1 b"]),
    ("{\"data\":[[\"\(c)\",\"\(a)\"],[null,\"\(b)\"]],\(before)}", ["1 a", "1 b"]),
    ("{\"results\":[{\(before),\"rows\":[[\"\(c)\",\"\(a)\"]]}]}", ["1 a"]),
    ("{\"meta\":[{\"name\":\"id\"},{\"name\":\"owner\"}],\"data\":[[\"\(a)\",\"\(c)\"]]}", ["1 a"]),
    ("{\"values\":[[\"name\",\"owner_id\",\"app_key_id\"],[\"x\",\"\(c)\",\"\(a)\"]]}", ["1 a"]),
    ("[[\"id\",\"type\"],[\"\(c)\",\"users\"],[\"\(a)\",\"application_keys\"]]", ["1!", "1 a"]),
    ("[[\"uuid\",\"id\"],[\"\(a)\",\"7\"],[\"\(c)\",\"\(b)\"]]", ["1 a", "1!"]),
    ("[[\(titles),\(rows)],[[\"id\",\"owner\"],[\"\(a)\",\"\(c)\"]]]", ["1 a", "1 b", "1 a"]),
    ("[\(titles),[{\"id\":\"\(c)\"},\"\(a)\"],[[\"\(c)\"],\"\(b)\"],[\"x\",{\"id\":\"\(c)\"}]]", ["1 a", "1 b", "1!"]),
    ("[\"y\", x, \"\(a)\"]", ["1!", "1!", "1 a"]), ("[x]\n[\"\(a)\"]", ["1!", "2 a"]),
    ("[[\"x\", [\"\(a)\"]]]", ["1!", "1 a"]),
    ("[\(String(repeating: "9", count: 70_000)), \"\(a)\"]", ["1!", "1 a"]),
    // Without titles, or with one that says nothing, any id is that of a key.
    ("[[\"x\"],[\"\(a)\"]]", ["1!", "1 a"]), ("{\"data\":[[\"\(a)\"],[\"\(b)\"]]}", ["1 a", "1 b"]),
    ("{\"columns\":[\"key\"],\"rows\":[[\"\(a)\"]]}", ["1 a"]),
    ("{\"id\":\"\(a)\",\"groups\":[[\"\(c)\"]]}", ["1 a"]),
  ])
  func the_column_of_the_keys_is_read(list: String, expected: [String]) throws {
    #expect(try entries(list).map { $0.contains("!") ? String($0.prefix { $0 != "!" }) + "!" : $0 } == expected)
  }

  /// Rows may be short, as spreadsheets leave out empty cells, but not long, and nothing may be missing in between.
  @Test func rows_that_do_not_fit_are_invalid() throws {
    let list =
      "[[\"id\",\"owner\",\"x\"],\n[\"\(a)\"],\n[\"\(b)\",\"\(c)\"],\n[\"\(c)\",1,2,3],\n[],\n[,\"\(c)\"],\n[\"\",1],\n[y,\"\(c)\"]]"
    #expect(
      try entries(list) == [
        "2 a", "3 b", "4! […] | a row with 4 values in a table with 3 titles: which is which is not clear",
        "6! […] | a row with 1 value in a table with 3 titles: which is which is not clear",
        "7! […] | the column id is empty", "8! y | broken JSON: a key id must be in double quotes",
        "8! […] | a row with 1 value in a table with 3 titles: which is which is not clear",
      ])
  }

  @Test(arguments: [
    "[[\"owner\"],[\"\(c)\"]]", "[[\"foo\",\"bar\"],[\"\(c)\",\"\(a)\"]]", "[[\"id\",\"ID\"],[\"\(c)\",\"\(a)\"]]",
    "{\"id\":\"\(c)\",\(before),\"rows\":[\(rows)]}", "{\"rows\":[[\"\(c)\"]],\"columns\":[\"owner\"]}",
    "{\"data\":[[\"\(c)\"]],\"columns\":[\"owner\"]}", "{\"columns\":[\"a\",\"b\"],\"rows\":[[\"\(c)\",1]]}",
    "{\"results\":[{\(before),\"rows\":[\(rows)]},{\"columns\":[\"id\",\"owner\"]}]}",
  ])
  func without_a_column_of_keys_one_line_says_why(list: String) throws {
    let found = try entries(list)
    #expect(found.count == 1 && found[0].contains("! "), "\(found)")
  }

  /// A lost quote, comma or bracket never moves an id into the column of the keys.
  @Test func damage_to_a_table_shows_no_other_id() throws {
    let list = Array("[\(Self.titles),\n\(Self.rows),\n[\"\(c)\",\"\(b)\"]]\n".utf8)
    for place in Array(1..<24) + stride(from: 24, to: list.count, by: 3) {
      var damaged = list
      damaged.remove(at: place)
      var reader = KeyListReader(bytes: damaged)
      #expect(try reader.all().allSatisfy { $0.key?.description != c.lowercased() }, "\(place)")
    }
  }

  @Test func the_title_is_in_the_receipt() throws {
    var reader = KeyListReader(bytes: "[[\"Name\",\"Key ID\"],[\"x\",\"\(a)\"]]".utf8)
    _ = try reader.all()
    #expect(reader.format?.column == "Key ID")
  }

  /// More rows change no entry that was final, and titles alone may still become a table.
  @Test func a_table_that_grows() throws {
    let list = Array("[\(Self.titles),\(Self.rows)]".utf8)
    for count in 1...list.count {
      var reader = KeyListReader(bytes: list[..<count])
      let settled = try Array(reader.all().prefix(reader.settled))
      var whole = KeyListReader(bytes: list)
      let all = try whole.all()
      #expect(Array(all.prefix(settled.count)) == settled || whole.format != reader.format)
    }
  }
}
