import KeyList
import Testing

private let header = "app_key_id, key_id, uuid or id"

/// Lists as people have them, from spreadsheets, shells, chats and other programs.
struct UntidyTests {
  @Test(arguments: [
    ("\(a),\n\(b),\n\(c)\n", ["1 a", "2 b", "3 c"]),
    ("\"\(a)\",\n\"\(b)\",\n\(c)\n", ["1 a", "2 b", "3 c"]),
    ("  \"\(a)\",\r\n  \"\(b)\"\r\n", ["1 a", "2 b"]),
    ("- \(a)\n* \(b)\n\u{2022} \(c)\n", ["1 a", "2 b", "3 c"]),
    ("\(a),\(b),\(c)", ["1 a", "1 b", "1 c"]),
    ("\(a) \(b)\t\(c);\n", ["1 a", "1 b", "1 c"]),
    ("\(a), \(b)\n\(c)\n", ["1 a", "1 b", "2 c"]),
    ("['\(a)', '\(b)']\n", ["1 a", "1 b"]),
    ("{\(a)}\n(\(b))\n<\(c)>", ["1 a", "2 b", "3 c"]),
    ("urn:uuid:\(a)\nURN:UUID:\(b)\n", ["1 a", "2 b"]),
    ("\u{200e}\(a)\u{202c}\n\u{202f}\(b)\u{3000}\n\u{ad}\(c)\u{2060}", ["1 a", "2 b", "3 c"]),
    ("\u{201c}\(a)\u{201d}\n\u{2018}\(b)\u{2019},\n\u{ab}\(c)\u{bb}", ["1 a", "2 b", "3 c"]),
    ("\u{1b}[32m\(a)\u{1b}[0m\n\u{1b}[0;1m\"\(b)\"\u{1b}[K\u{1b}[m,\n", ["1 a", "2 b"]),
    ("sep=;\n\(a)\n", ["2 a"]),
    ("#TYPE Selected.Key\n\"Name\",\"Key ID\"\n\"x\",\"\(a)\"\n", ["3 a"]),
    ("sep=;\nName;Key ID\nx;\(a)\n", ["3 a"]),
    ("sep=\t\n\(a)\n", ["2 a"]), ("\"sep=\t\"\nName\tKey ID\nx\t\(a)\n", ["3 a"]),
    ("\u{1e}{\"id\":\"\(a)\"}\n\u{1e}{\"id\":\"\(b)\"}\n", ["1 a", "2 b"]),
    ("\(a) ci\n\(b) John Smith\n", ["1 a", "2 b"]),
    ("ci\t\(a)\nJohn Smith\t\(b)\n", ["1 a", "2 b"]),
    ("ci,\(a),x\nlint,\(b),y\n", ["1 a", "2 b"]),
    ("\"0\\u0030\(a.dropFirst(2))\"\n\(b)", ["1 a", "2 b"]),
    ("\"\(a)\"\"\(b)\"\"\(c)\"", ["1 a", "1 b", "1 c"]), ("\u{1e}\"\(a)\"\n\u{1e}\"\(b)\"\n", ["1 a", "2 b"]),
    ("\"\(a)\" {\"id\":\"\(b)\"} [\"\(c)\"]\n", ["1 a", "1 b", "1 c"]),
    ("\"\(a)\"{\"id\":\"\(b)\"}\n", ["1 a", "1 b"]),
    ("[1] \"\(a)\" \"\(b)\"\n", ["1! 1 | a number, true, false or null instead of a key id", "1 a", "1 b"]),
    ("[0] \(a)\n[1] \(b)\n", ["1 a", "2 b"]), ("[2024-05-01] \(a)\n[2024-05-02] \(b)\n", ["1 a", "2 b"]),
    ("**\(a)**\n- __\(b)__\n* **\(c)**,\n", ["1 a", "2 b", "3 c"]),
    ("> \(a)\n> > \(b)\n+ \(c)\n", ["1 a", "2 b", "3 c"]),
    ("- **\(a)** (x)\n- **\(b)** (y)\n", ["1 a", "2 b"]),
    ("```text\n\(a)\n```\n~~~\n\(b)\n~~~\n", ["2 a", "5 b"]), ("```json\n[\n\"\(a)\"\n]\n```\n", ["3 a"]),
    ("```\nname,id\nx,\(a)\n```\n", ["3 a"]), ("---\n- \(a)\n...\n", ["2 a"]),
    ("app_key_id\n=\"\(a)\"\n\"=\"\"\(b)\"\"\"\n'\(c)\n", ["2 a", "3 b", "4 c"]),
    ("'\(a)\n=\"\(b)\"\n", ["1 a", "2 b"]),
    ("\(a)、\(b)，\(c)\n", ["1 a", "1 b", "1 c"]), ("「\(a)」\n『\(b)』；\n", ["1 a", "2 b"]),
    ("００\(a.dropFirst(2))\n", ["1 a"]), ("\(a)|\(b)\n\(c)\n", ["1 a", "1 b", "2 c"]),
    ("\(a)|x\n\(b)|y\n", ["1 a", "2 b"]),
    (",,\n,Name,Key ID\n,x,\(a)\n", ["3 a"]),
    (
      "id                                   name\n------------------------------------ ----\n\(a) x\n\(b) y\n\n(2 rows)\n",
      ["3 a", "4 b", "6! (2 rows) | not a UUID (8-4-4-4-12 hexadecimal)"]
    ),
  ])
  func text(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  @Test(arguments: [
    "Application Key ID", "appKeyId", "application_key_id", "uuid", "UUID", "Key ID", "App Key ID", "key-id", "ID",
    " \"App Key Id\" ", "\u{feff}app_key_id",
  ])
  func the_titles_of_the_column_in_any_spelling(title: String) throws {
    #expect(try entries("name,\(title)\nx,\(a)\n") == ["2 a"])
    #expect(try entries("\(title);name\n\(a);x\n") == ["2 a"])
  }

  @Test(arguments: [
    ("id,app_key_id", "app_key_id"), ("key_id,uuid", "key_id"),
    ("Key ID,Application Key ID", "Application Key ID"),
  ])
  func of_two_columns_the_more_specific_one(header: String, column: String) throws {
    let values = header.split(separator: ",").map { $0 == column ? a : b }.joined(separator: ",")
    var reader = KeyListReader(bytes: "\(header)\n\(values)\n".utf8)
    #expect(try reader.all().map(\.shown) == ["2 a"])
    #expect(reader.format?.column == column)
  }

  @Test(arguments: [
    ("{\"id\":\"\(b)\",\"key_id\":\"\(a)\"}", "key_id"), ("[{\"Key-ID\":\"\(b)\",\"appKeyId\":\"\(a)\"}]", "appKeyId"),
    ("{\"data\":[{\"app_key_id\":\"\(a)\",\"uuid\":\"\(b)\"}]}", "app_key_id"), ("{\"id\":\"\(a)\"}", nil),
    ("{\"id\":\"\(a)\",\"owner\":{\"key_id\":\"\(b)\"}}", nil), ("[5]\n{\"key_id\":\"\(a)\",\"id\":7}", "key_id"),
    ("{\"id\":null,\"key_id\":\"\(a)\"}", nil),
  ])
  func of_two_members_the_more_specific_one_and_it_is_named(list: String, member: String?) throws {
    var reader = KeyListReader(bytes: list.utf8)
    #expect(try reader.all().compactMap(\.key?.description) == [a])
    #expect(reader.format == .json(member: member) && reader.format?.column == member)
  }

  @Test(arguments: ["id,name,ID", "app_key_id,Application Key ID"])
  func of_two_columns_that_mean_the_same_none(header: String) {
    let error = #expect(throws: KeyListError.self) { try entries("\(header)\n\(a),\(b),\(c)\n") }
    #expect(error?.kind == .ambiguous)
    #expect(error?.line == 1)
  }

  @Test func an_unknown_header_is_named_with_those_that_are_known() throws {
    let error = #expect(throws: KeyListError.self) {
      try entries("user_id,mail\n\(a),x@example.com\n\(b),y@example.com\n")
    }
    #expect(
      error?.message == "the header has no column of key ids: it has user_id, mail; one of them must be \(header)")
  }

  @Test(arguments: ["\(a),\(b)\n\(b),\(c)\n", "x \(a) \(b)\ny \(b) \(c)\n"])
  func a_table_without_a_header_asks_for_one(list: String) {
    let error = #expect(throws: KeyListError.self) { try entries(list) }
    #expect(error?.message == "the list is a table without a header: each line has 2 ids")
    #expect(error?.line == 1)
  }

  /// One row with an empty field does not make the columns of a table keys.
  @Test(arguments: ["\n,\(a)\n", "\n\(c),\n", "\n\(a),\(b),\(c)\n"])
  func a_table_with_an_uneven_row_asks_for_a_header(row: String) {
    let pairs = Array(repeating: "\(a),\(b)", count: 10).joined(separator: "\n")
    let error = #expect(throws: KeyListError.self) { try entries(pairs + row + pairs + "\n") }
    #expect(error?.message == "the list is a table without a header: most lines have 2 ids")
  }

  /// Nor are lines of the same length a table, of which the last is shorter, nor a few uneven ones.
  @Test(arguments: [
    Array(repeating: "\(a),\(b),\(c)", count: 12).joined(separator: "\n") + "\n\(a)\n",
    "\(a),\(b),\(c)\n\(a),\(b)\n\(c)\n", "\(a),\(b)\n\(b),\(c)\n\(c)\n",
  ])
  func several_ids_on_uneven_lines_are_keys(list: String) throws {
    #expect(try entries(list).allSatisfy { !$0.contains("!") })
  }

  @Test(arguments: [false, true])
  func utf16_with_a_byte_order_mark(isBigEndian: Bool) throws {
    func wide(_ text: String) -> [UInt8] {
      text.utf16.flatMap { unit in
        isBigEndian ? [UInt8(unit >> 8), UInt8(unit & 0xff)] : [UInt8(unit & 0xff), UInt8(unit >> 8)]
      }
    }
    let csv = "\u{feff}name,id\r\n\u{1f600}\u{e9},\(a)\r\nx,\(b)\r\n"
    #expect(try entries(wide(csv)) == ["2 a", "3 b"])
    #expect(try entries(wide("\u{feff}[\"\(a)\", \"\(b)\"]")) == ["1 a", "1 b"])
    for sizes in [[1], [3, 2, 1], [65535]] {
      var pieces = KeyListReader(PiecedSource(wide(csv), sizes: sizes))
      #expect(try pieces.all().map(\.shown) == ["2 a", "3 b"])
    }
    #expect(
      try entries(wide("\u{feff}\(a)\n\(b)\n") + [0x41]) == [
        "1 a", "2 b", "3! \u{fffd} | not a UUID (8-4-4-4-12 hexadecimal)",
      ])
    let mixed = try entries(wide("\u{feff}\(a)\n") + Array("\(b)\n\(c)\n".utf8))
    #expect(
      mixed.count == 2 && mixed[0] == "1 a" && mixed[1].contains("| this line is UTF-8, but the list begins as UTF-16"))
  }

  @Test(arguments: [
    (String(repeating: "[", count: 70_000) + "\"\(a)\"" + String(repeating: "]", count: 70_000), ["1 a"]),
    ("[[\"\(a)\"],[\"\(b)\"]]", ["1 a", "1 b"]),
    ("[[{\"id\":\"\(a)\"}],[[{\"app_key_id\":\"\(b)\"}]]]", ["1 a", "1 b"]),
    ("{\"ids\":[\"\(a)\",\"\(b)\"]}", ["1 a", "1 b"]),
    ("{\"application_keys\":[{\"id\":\"\(a)\"},{\"id\":\"\(b)\"}]}", ["1 a", "1 b"]),
    ("{\"appKeyId\":\"\(a)\",\"id\":\"\(b)\"}", ["1 a"]),
    ("{\"id\":17,\"uuid\":\"\(a)\"}{\"uuid\":\"\(b)\",\"id\":\"\(b)\"}", ["1 a", "1 b"]),
    ("{\"id\":\"\(b)\",\"key_id\":\"\(a)\",\"uuid\":\"\(c)\"}", ["1 a"]),
    (
      "{\"id\":\"\(a)\",\"uuid\":\"\(b)\"}",
      ["1! {…} | different ids in \"id\" and \"uuid\": keep only that of the application key"]
    ),
    ("{\"errors\":[],\"ids\":[\"\(a)\"]}{\"errors\":null,\"ids\":[\"\(b)\"]}", ["1 a", "1 b"]),
    (
      "{\"app_key_ids\":{\"sensitive\":false,\"type\":[\"list\",\"string\"],\"value\":[\"\(a)\",\"\(b)\"]}}",
      ["1 a", "1 b"]
    ),
    (
      "{\"user_ids\":{\"type\":[\"list\",\"string\"],\"value\":[\"\(c)\"]},\n\"app_keys\":{\"value\":[\"\(a)\"]}}",
      ["2 a"]
    ),
    (
      "{\"x\":[\"\(a)\"],\"y\":[\"\(b)\"]}",
      ["1! {…} | arrays of ids in \"x\" and \"y\": keep only the one with the ids of application keys"]
    ),
    (
      "{\"users\":[\"\(a)\"]}",
      ["1! {…} | the ids in \"users\" are not those of application keys; if they are, name them app_key_ids"]
    ),
    (
      "{\"ids\":[\"\(a)\",5]}\n{\"ids\":[\"\(b)\"]}",
      ["1 a", "1! 5 | a number, true, false or null instead of a key id", "2 b"]
    ),
    (
      "{\"team-a\":\"\(a)\",\"n\":1}",
      [
        "1! {…} | an object without \"id\" or \"app_key_id\", but with an id under another name: "
          + "if it is a key's, name it app_key_id"
      ]
    ),
    ("{\"names\":[\"x\"]}", ["1! {…} | an object without \"id\" or \"app_key_id\""]),
    ("[\n# a comment\n\"\(a)\", // another\n\"\(b)\"\n]", ["3 a", "4 b"]),
    (
      "[\"\(a)\" # \"\(b)\"]",
      [
        "1 a", "1! # | broken JSON: a key id must be in double quotes",
        "1! \(b) | broken JSON: what comes before it is not a value",
      ]
    ),
    (
      "\u{1b}[1;39m[\n  \u{1b}[0;32m\"\(a)\"\u{1b}[0m\u{1b}[1;39m,\n  \u{1b}[0;32m\"\(b)\"\u{1b}[0m\n]\u{1b}[0m\n",
      ["2 a", "3 b"]
    ),
    ("{\"id\":\"\(a)\",\"id\":\"\(b)\"}", ["1! {…} | an object with the member \"id\" twice"]),
    ("{\"app_key_id\":\"\(a)\",\"appKeyId\":\"\(a)\"}", ["1! {…} | an object with the member \"appKeyId\" twice"]),
    (
      "{\"data\":[{\"id\":\"\(a)\"}],\"data\":[{\"id\":\"\(b)\"}]}",
      ["1 a", "1! {…} | an object with the member \"data\" twice"]
    ),
    (
      "[\"\\ud83d\\ude00\",\"\\ud83d\"]",
      ["1! \u{1f600} | not a UUID (8-4-4-4-12 hexadecimal)", "1! \u{fffd} | not a UUID (8-4-4-4-12 hexadecimal)"]
    ),
  ])
  func json(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  @Test(arguments: [
    ("users", "a user"), ("api_keys", "an API key"), ("service_access_tokens", "a service access token"),
    ("robots", "an object of type \"robots\""),
  ])
  func what_says_that_it_is_something_else_is_no_key(type: String, thing: String) throws {
    let object = "{\"type\":\"\(type)\",\"id\":\"\(a)\"}"
    let expected = "1! {…} | \(thing), not an application key"
    #expect(try entries("{\"data\":[\(object),{\"id\":\"\(b)\",\"type\":\"application_keys\"}]}") == [expected, "1 b"])
    #expect(try entries(object) == [expected])
    #expect(try entries("{\"data\":\(object)}") == [expected])
    #expect(try entries("[\(object)]") == [expected])
  }

  @Test(arguments: [true, false])
  func of_a_terraform_state_the_ids_of_application_keys(isSorted: Bool) throws {
    func resource(_ type: String, _ id: String) -> String {
      let type = "\"type\":\"\(type)\",\"name\":\"n\""
      let instances =
        "\"instances\":[{\"attributes\":{\"id\":\"\(id)\",\"key\":\"s\",\"tags\":[\"\(c)\"]},\"dependencies\":[]}]"
      return "{\"mode\":\"managed\"," + (isSorted ? "\(instances),\(type)" : "\(type),\(instances)") + "}"
    }
    let resources = [
      resource("datadog_application_key", a), resource("datadog_user", c), resource("datadog_api_key", c),
      resource("datadog_application_key", b),
    ]
    let list =
      "{\"version\":4,\"terraform_version\":\"1.9.0\",\"outputs\":{\"ids\":{\"value\":[\"\(c)\"]}},\n\"resources\":["
      + resources.joined(separator: ",\n") + "],\"check_results\":null}"
    #expect(try entries(list) == ["2 a", "5 b"])
    let other = "{\"terraform_version\":\"1.9.0\",\"resources\":[\(resource("datadog_user", c))]}"
    #expect(try entries(other) == ["1! {…} | a Terraform state without a datadog_application_key"])
  }

  @Test func a_header_behind_more_comments_than_are_in_sight_together() throws {
    let comments = String(repeating: "# " + String(repeating: "x", count: 70) + "\n", count: 3_000)
    #expect(try entries("\(comments)name,id\nx,\(a)\n") == ["3002 a"])
    #expect(try entries("\(comments)[\"\(a)\"]\n") == ["3001 a"])
  }

  @Test func a_line_of_more_ids_than_are_in_sight_together() throws {
    let ids = Array(repeating: a, count: 5_000)
    #expect(try entries(ids.joined(separator: ",") + "\n\(b)") == ids.map { _ in "1 a" } + ["2 b"])
    let found = try entries(ids.joined(separator: " ") + " x \(c)\n\(b)")
    #expect(found.last == "2 b")
    #expect(found.dropLast().last?.hasSuffix("nothing after it on the line was read") == true)
    #expect(found.filter { $0 == "1 a" }.count >= 3_000)
  }

  @Test func a_quoted_field_longer_than_what_is_in_sight_is_said_exactly() throws {
    let found = try entries("name,id\n\"\(String(repeating: "x", count: 70_000))\",\(a)\ny,\(b)\n")
    #expect(found.count == 2)
    #expect(found.first?.hasSuffix("| a field in quotes is longer than 65536 bytes; its record was not read") == true)
    #expect(found.last == "3 b")
  }
}
