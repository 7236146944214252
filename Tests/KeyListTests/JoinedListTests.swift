import KeyList
import Registration
import Testing

/// Lists with something above, between or below: titles, answers of programs, other lists. `a` and `b` are keys, `c`
/// never is.
struct JoinedListTests {
  private func keys(_ list: String) throws -> [String] {
    var reader = KeyListReader(bytes: list.utf8)
    return try reader.all().filter { $0.key != nil }.map(\.shown)
  }

  /// What decides on the form of a list is not a bad line.
  @Test(arguments: [
    ("APP_KEY_ID=\(a)\nAPP_KEY_ID=\(b)\n{\"errors\":[\"Forbidden\"]}\n", ["1 a", "2 b"]),
    ("id: \(a)\nid: \(b)\n{}\n", ["1 a", "2 b"]), ("{\"errors\":[\"Forbidden\"]}\n\(a)\n\(b)\n", ["2 a", "3 b"]),
    ("[1,2\n\n- \(a)\n- \(b)\n", ["3 a", "4 b"]), ("{\"errors\":[\"x\"]}\n{\"id\":\"\(a)\"}\n", ["2 a"]),
    ("{\"id\":\"\(a)\"}\n\(c)\n{\"id\":\"\(b)\"}\n", ["1 a", "3 b"]),
    ("[\n{\n\"id\":\"\(a)\",\n\"x\":{\"y\":1}\n},\n...,\n{\n\"id\":\"\(b)\"\n}\n]", ["3 a", "8 b"]),
    ("{\"data\":[\n{\n\"id\":\"\(a)\",\n\"x\":{}\n},\n\u{a0}\n{\n\"id\":\"\(b)\"\n}\n]}", ["3 a", "8 b"]),
    ("- id: \(a)\n  name: x\nerror: boom\n- id: \(b)\n  name: y\n", ["1 a", "4 b"]),
    ("- id: \(a)\n  name: x\nDD_API_KEY=0123456789abcdef0123456789abcdef\n", ["1 a"]),
  ])
  func aBadLineStopsNoGoodOnes(list: String, expected: [String]) throws {
    #expect(try keys(list) == expected)
  }

  @Test(arguments: [
    ("Org: \(c),\nOwner ID,Key ID\n\(c),\(a)\n\(c),\(b)\n", ["3 a", "4 b"]),
    ("\(c)\n\nOwner ID;Key ID\n\(c);\(a)\n", ["4 a"]), ("\(a)\nname,Key ID\nx,\(b)\ny,\(b)\n", ["1 a", "3 b", "4 b"]),
    ("\(a)\n\(b)\nuser_id,name\n\(c),x\n", ["1 a", "2 b"]), ("\(a) x\n\(b) y\nuser_id;name\n\(c);x\n", ["1 a", "2 b"]),
    ("\(a)\n\(b)\nowner_id,app_key_id\n\(c),\(a)\n", ["1 a", "2 b"]),
    ("\(a)\n\(b)\n| User ID | Name |\n|---|---|\n| \(c) | x |\n", ["1 a", "2 b"]),
    // Merged cells above the titles.
    ("User,User,Key\nID,Name,Name\n\(c),x,y\n", []), ("Owner,,Key,\nID,Name,Name,Note\n\(c),x,y,z\n", []),
    ("Key,,Owner,\nName,ID,Name,Note\nx,\(a),y,z\n", ["3 a"]),
  ])
  func aTableIsReadByItsHeaderWhateverIsAboveIt(list: String, expected: [String]) throws {
    #expect(try keys(list) == expected)
  }

  @Test(arguments: [
    ("[{\"id\":\"\(c)\",\"__typename\":\"User\"},{\"id\":\"\(a)\",\"__typename\":\"AppKey\"}]", ["1 a"]),
    ("[{\"id\":\"\(c)\",\"@type\":\"User\"},{\"id\":\"\(a)\"}]", ["1 a"]),
    ("[{\"id\":\"\(c)\",\"asset_type\":\"users\"},{\"id\":\"\(a)\",\"asset_type\":\"application_keys\"}]", ["1 a"]),
    ("Asset Type,id\nuser,\(c)\napplication_key,\(a)\n", ["3 a"]),
    // A database's own ids.
    ("{\"_id\":\"\(c)\",\"id\":\"\(a)\"}", ["1 a"]), ("_id,id,name\n\(c),\(a),x\n", ["2 a"]),
    ("[{\"_id\":\"\(c)\",\"_source\":{\"app_key_id\":\"\(a)\"}}]", []),
  ])
  func anIDIsWhatItsRecordSays(list: String, expected: [String]) throws {
    #expect(try keys(list) == expected)
  }

  @Test(arguments: [
    "User ID,\"Created\nat\"\n\(c),2024\n", "\"User\nID\",Name\n\(c),x\n", "Name;\"User\r\nID\";Mail\nx;\(c);y\n",
  ])
  func anUnknownHeaderOfSeveralLinesIsNamed(list: String) throws {
    let error = #expect(throws: KeyListError.self) { try keys(list) }
    #expect(try keys("\"Owner\nID\",\"Key\nID\"\n\(c),\(a)\n") == ["4 a"])
    #expect(error?.message.hasPrefix("the header has no column of key ids") == true, "\(error?.message ?? "")")
  }

  /// However far down it is.
  @Test func aRecordOfSomethingElseBehindManyKeys() throws {
    let keys = (UInt64(0)..<1_500).map { "- id: \(AppKeyID(high: 1, low: $0))\n  type: application_keys\n  name: x\n" }
      .joined()
    let others = "included:\n- id: \(c)\n  type: users\n- type: users\n  id: \(c)\n"
    let noted = "- type: users\n# the boss\n  id: \(c)\n\n- id: \(c)\n# the boss\n\n  type: users\n"
    #expect(try self.keys("- id: \(a)\n  name: x\n" + noted + "- id: \(b)\n").count == 2)
    let own = "- name: y\n  owner:\n    name: z\n    type: users\n  id: \(a)\n"
    #expect(try self.keys("- id: \(a)\n  name: x\n" + others).count == 1)
    #expect(try self.keys("data:\n" + keys + others + own).count == 1_501)
    let blocks = (UInt64(0)..<1_500).map { "Id : \(AppKeyID(high: 1, low: $0))\nName : x\n\n" }.joined()
    #expect(try self.keys(blocks + "Id : \(c)\nType : users\n\nType : users\nId : \(c)\n\nId : \(a)\n").count == 1_501)
  }

  /// An empty field is one, too.
  @Test func aTableWithoutAHeaderMayHaveEmptyFields() throws {
    let rows = String(repeating: "\(c),\(a)\n", count: 9) + ",\(b)\n"
    #expect(throws: KeyListError.self) { try keys(rows) }
    #expect(try keys("\(a)\n,\(b)\n") == ["1 a", "2 b"])
  }
}
