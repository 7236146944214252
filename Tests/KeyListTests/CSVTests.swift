import KeyList
import Registration
import Testing

private let notAnID = "not a UUID (8-4-4-4-12 hexadecimal)"
private let strayQuote = "a quote is opened and not closed, or text follows the closing quote"

struct KeyListCSVTests {
  @Test(arguments: [
    ("id\n\(a)\n\(b)\n", ["2 a", "3 b"]),
    ("app_key_id,name\n\(a),x\n\(b),y", ["2 a", "3 b"]),
    ("name,KEY_ID\r\nx,\(a)\r\ny,\(b)\r\n", ["2 a", "3 b"]),
    ("name;\"App Key ID\";id\nx;\(a);1\n", ["2 a"]),
    ("id\tname\n\(a)\tx y\n", ["2 a"]),
    ("\u{feff}\"id\"|n\n\(a)|\n", ["2 a"]),
    (" id , name\n \(a) , x\n\"\(b)\" , y", ["2 a", "3 b"]),
    ("id,app_key_id\n\(b),\(a)\n", ["2 a"]),
    ("id,key_id\n\(b),\(a)\n", ["2 a"]),
    ("# exported\n\nname,id\nx,\(a)\n\n,\n", ["4 a"]),
    ("name,id\n\"Smith, \"\"J\"\"\nsecond line\",\(a)\nx,\(b)\n", ["2 a", "4 b"]),
    ("name,id\n5\" disk,\(a)\n", ["2 a"]),
    ("id,name\n\(a),\n\(b),\n", ["2 a", "3 b"]),
    ("id\n\(a),\n\(b)\n", ["2 a", "3 b"]),
    ("name,id\rx,\(a)\ry,\(b)\r", ["2 a", "3 b"]),
    ("id\n", []),
    (
      "Report of Monday\nname,id\nx,\(a)",
      ["1! Report of Monday | before the header line, where no keys are expected", "3 a"]
    ),
  ])
  func the_column_of_ids_is_read(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  @Test(arguments: [
    ("x,nope", "2! nope | \(notAnID)"),
    ("x,", "2! x, | the column id is empty"),
    ("x", "2! x | 1 field where the header has 2: is the line broken, or a separator missing?"),
    (
      "y,\(a),",
      "2! y,\(a), | 3 fields where the header has 2: the line ends in one separator too many, "
        + "or a field with a separator needs quotes"
    ),
    ("Smith, J,\(a)", "2! Smith, J,\(a) | 3 fields where the header has 2: a field with a separator needs quotes"),
    ("\"x,\(a)", "2! \"x,\(a) | \(strayQuote)"),
    ("\"x\"y,\(a)", "2! \"x\"y,\(a) | \(strayQuote)"),
    ("x,\"\(a)", "2! x,\"\(a) | \(strayQuote)"),
  ])
  func a_bad_record_costs_its_own_line(line: String, expected: String) throws {
    #expect(try entries("name,id\n\(line)\ny,\(b)\nz,\(c)\n") == [expected, "3 b", "4 c"])
  }

  @Test func a_column_beside_the_ids_may_be_in_any_encoding() throws {
    let list = Array("name,id\nM".utf8) + [0xfc] + Array("ller,\(a)\n".utf8)
    #expect(try entries(list) == ["2 a"])
  }

  @Test func a_record_longer_than_the_window_costs_its_line() throws {
    let long = String(repeating: "x", count: 200_000)
    let found = try entries("name,id\n\(long),\(a)\n\"\(long)\",\(b)\nz,\(c)")
    #expect(found.count == 3)
    #expect(found[0].hasPrefix("2! xxx"))
    #expect(found[1].hasPrefix("3! \"xxx"))
    #expect(found[2] == "4 c")
  }

  @Test func the_format_tells_the_column() throws {
    var reader = KeyListReader(bytes: "name;Key-ID\nx;\(a)".utf8)
    #expect(reader.format == nil)
    _ = try reader.next()
    #expect(reader.format == .csv(column: "Key-ID", number: 1, separator: UInt8(ascii: ";")))
    #expect(reader.format?.name == "csv")
    #expect(reader.format?.column == "Key-ID")
  }

  @Test func nothing_is_taken_behind_another_header_whose_ids_are_in_another_column() throws {
    var reader = KeyListReader(bytes: "id,org\n\(a),\(c)\norg,id\n\(c),\(b)\n".utf8)
    let found = try reader.all()
    #expect(found.compactMap(\.key) == [AppKeyID(a)].compactMap(\.self))
    #expect(reader.ending.cutShort?.line == 3)
    // A bad record that contains such a name is not a header.
    var bad = KeyListReader(bytes: "id,name\nx,uuid\n\(a),ann\n".utf8)
    #expect(try bad.all().compactMap(\.key) == [AppKeyID(a)].compactMap(\.self))
    #expect(bad.ending.cutShort == nil)
    // The same header once more costs its line.
    var same = KeyListReader(bytes: "id,org\n\(a),\(c)\nid,org\n\(b),\(c)\n".utf8)
    #expect(try same.all().compactMap(\.key) == [AppKeyID(a), AppKeyID(b)].compactMap(\.self))
    #expect(same.ending.cutShort == nil)
  }
}
