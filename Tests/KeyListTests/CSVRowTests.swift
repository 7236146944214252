import KeyList
import Testing

/// Rows of a CSV list that are those of something else, or lack fields. `a` and `b` are keys, `c` never is.
struct CSVRowTests {
  private func keys(_ list: String) throws -> [String] {
    var reader = KeyListReader(bytes: list.utf8)
    return try reader.all().filter { $0.key != nil }.map(\.shown)
  }

  @Test(arguments: [
    ("id,type\n\(a),application_keys\n\(c),users\n\(c),API key\n\(b),personal\n", ["2 a", "5 b"]),
    ("Kind;ID\napp_key;\(a)\nService account;\(c)\n", ["2 a"]), ("app_key_id,type\n\(a),users\n", ["2 a"]),
    ("id,uuid\n\(c),\(c.replacing("c", with: "d"))\n17,\(a)\n\(b),\(b)\n", ["3 a", "4 b"]),
    ("id,name\n\(a),x\n\nid,mail\n\(c),y\n", ["2 a"]), ("id,name,note\n\(a),x,y\n\nid,mail\n\(c),y\n", ["2 a"]),
    ("app_key_id,name\n\(a),x\nuser_id,mail\n\(c),y\n", ["2 a"]), ("id\n\(a)\n\nuser_id\n\(c)\n", ["2 a"]),
    ("id,name\n\(a),x\n\nfoo,bar\n\(c),y\n", ["2 a"]),
    ("id,name\n\(a),x\n\nbad,row\nbad,row\n\(b),y\n", ["2 a", "6 b"]),
    ("app_key_id,name\n\(a),x\napp_key_id,team\n\(b),y\n", ["2 a", "4 b"]),
    ("Users\nid,name\n\(c),x\n", []), ("# users\n\nid,name\n\(c),x\n", []),
    ("Users\napp_key_id,name\n\(a),x\n", ["3 a"]), ("Keys\nname,id\nx,\(a)\n\nUsers\nname,id\ny,\(c)\n", ["3 a"]),
    ("id,name\n\(a),x\nuser,bad row\nanother,one\n\(b),y\n", ["2 a", "5 b"]),
    // Printed tables, one below the other.
    (" app_key_id | name\n---+---\n \(a) | x\n(1 row)\n\n user_id | name\n---+---\n \(c) | y\n(1 row)\n", ["3 a"]),
    (
      "| Key ID | Name |\n|---|---|\n| \(a) | x |\n\n## Users\n\n| User ID | Name |\n|---|---|\n| \(c) | y |\n", ["3 a"]
    ),
    (
      "+--+--+\n| id | name |\n+--+--+\n| \(a) | x |\n+--+--+\n+--+--+\n| foo | id |\n+--+--+\n| \(c) | \(b) |\n",
      ["4 a"]
    ),
    ("| Key ID | Name |\n|---|---|\n| \(a) | x |\n\n| Name | Team |\n|---|---|\n| \(c) | y |\n", ["3 a"]),
    ("| Key ID | Name |\n|---|---|\n| \(a) | x |\n\n| Key ID | Name |\n|---|---|\n| \(b) | y |\n", ["3 a", "7 b"]),
    ("| Key ID | Name |\n|---|---|\n| bad | x |\n| --- | - |\n| \(b) | y |\n", ["5 b"]),
    // What follows a blank row decides, too.
    ("id,name\n\(a),x\nuser_id,name\n,\n\(c),y\n", ["2 a"]), (",id\n,\(a)\n,user_id\n\n,\(c)\n", ["2 a"]),
  ])
  func rows_of_something_else(list: String, expected: [String]) throws {
    #expect(try keys(list) == expected)
  }

  /// Rows inside a long text are none of the list.
  @Test func a_quoted_field_longer_than_what_is_in_sight_is_passed_over() throws {
    let lines = String(repeating: "a line, and \"\"more\"\"\r\n", count: 9_000)
    let list = "note,id,more\r\nx,\(a),\r\n\"\(lines)y,\(c),\r\n\",\(c),\"two\r\ny,\(c),z\"\r\nz,\(b),\r\n"
    #expect(try keys(list) == ["2 a", "9006 b"])
    let stray = "note,id\n\"x,\(c)\n" + String(repeating: "y,\(a)\n", count: 3_000) + "\"x, y\",\(b)\n"
    #expect(try keys(stray).count == 3_001)
    var reader = KeyListReader(bytes: stray.utf8)
    #expect(try reader.all().count == 3_002 && reader.settled == 3_002)
    var open = KeyListReader(bytes: ("note,id\n\"x,\(c)\n" + String(repeating: "y,\(a)\n", count: 3_000)).utf8)
    #expect(try open.all().count == 3_001 && open.settled == 0)
  }

  @Test(arguments: [
    ("id,name,note\n\(a),x\n\(b)\n", ["2 a", "3 b"]), ("name,id,note\nx,\(a)\n", ["2 a"]),
    ("name,id,owner_id\nx,\(c)\n", []), ("name,id,note\n\(a),\(c)\n", []), ("note,id\n\(a)\n", []),
  ])
  func rows_without_the_last_fields(list: String, expected: [String]) throws {
    #expect(try keys(list) == expected)
  }

  @Test func a_short_row_has_no_fields_where_others_have_some() throws {
    let reader = KeyListReader(bytes: "name,id,note,more\nx,\(a)\ny,\(b),z,w\n".utf8)
    var records = try #require(try KeyListRecords(reader, most: 8))
    #expect(try records.next()?.fields == ["x", "", ""])
    #expect(try records.next()?.fields == ["y", "z", "w"])
  }
}
