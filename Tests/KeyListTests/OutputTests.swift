import KeyList
import Testing

/// What other programs print: tables, and the JSON of Terraform and PowerShell.
struct OutputTests {
  @Test(arguments: [
    ("| name | app_key_id |\n|------|:----------:|\n| x | \(a) |\n", ["3 a"]),
    ("+----+----+\n| name | id |\n+----+----+\n| x | \(a) |\n+----+----+\n", ["4 a"]),
    (" name | id\n------+------\n x | \(a)\n", ["3 a"]),
    ("\nId    Name\n--    ----\n\(a) ci\n\(b) lint tests\n", ["4 a", "5 b"]),
    ("NAME   KEY ID\nci     \(a)\nlint   \(b)\n", ["2 a", "3 b"]),
    ("---\n- \(a)\n- \(b)\n", ["2 a", "3 b"]),
    ("NAME   OWNER\n\(a)\n", ["1! NAME   OWNER | not a UUID (8-4-4-4-12 hexadecimal)", "2 a"]),
    ("Name  Key ID\nci  \(a) \(b)\n", ["2! ci  \(a) \(b) | \(manyIDs)"]),
  ])
  func tables(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  @Test(arguments: [
    ("{\"Id\":\"\(a)\"}\n{\"ID\":\"\(b)\"}", ["1 a", "2 b"]),
    ("{\"key_id\":\"\(a)\",\"id\":\"\(b)\"}", ["1 a"]),
    ("{\"id\":\"\(b)\",\"Key ID\":\"\(a)\"}", ["1 a"]),
    ("{\"uuid\":\"\(a)\",\"name\":\"x\"}", ["1 a"]),
    ("{\"id\":\"\(a)\",\"ID\":\"\(b)\"}", ["1! {…} | an object with the member \"ID\" twice"]),
    ("{\"type\":\"users\",\"things\":[\"\(a)\"]}", ["1! {…} | a user, not an application key"]),
    ("[{\"Type\":\"users\",\"Id\":\"\(a)\"}]", ["1! {…} | a user, not an application key"]),
    ("[/* two\nkeys */\n\"\(a)\" /*, */, \"\(b)\"]", ["3 a", "3 b"]),
    ("/* keys */\n[\"\(a)\"]", ["2 a"]),
    (
      "[\"\(a)\" /* \"\(b)\"]",
      ["1 a", "1! /* | \(quotes)", "1! \(b) | broken JSON: what comes before it is not a value"]
    ),
  ])
  func objects(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  private static func output(_ name: String, _ type: String, _ value: String) -> String {
    "\"\(name)\":{\"sensitive\":false,\"type\":\(type),\"value\":\(value)}"
  }

  @Test(arguments: [
    ("{\(output("app_key_id", "\"string\"", "\"\(a)\""))}", ["1 a"]),
    ("{\(output("key", "\"string\"", "\"\(a)\"")),\n\(output("region", "\"string\"", "\"eu\""))}", ["1 a"]),
    (
      "{\(output("ci_app_key", "\"string\"", "\"\(a)\"")),\n\(output("lint_app_key", "\"string\"", "\"\(b)\""))}",
      ["1 a", "2 b"]
    ),
    ("{\(output("app_key_ids", "[\"map\",\"string\"]", "{\"ci\":\"\(a)\",\"id\":\"\(b)\"}"))}", ["1 a", "1 b"]),
    (
      "{\(output("keys", "[\"tuple\",[]]", "{\"ci\":{\"id\":\"\(a)\",\"name\":\"x\"},\"lint\":{\"id\":\"\(b)\"}}"))}",
      ["1 a", "1 b"]
    ),
    (
      "{\(output("ci", "\"string\"", "\"\(a)\"")),\(output("lint", "\"string\"", "\"\(b)\""))}",
      ["1! {…} | arrays of ids in \"ci\" and \"lint\": keep only the one with the ids of application keys"]
    ),
    (
      "{\(output("org_id", "\"string\"", "\"\(a)\""))}",
      ["1! {…} | the ids in \"org_id\" are not those of application keys; if they are, name them app_key_ids"]
    ),
    ("{\"key\":{\"value\":\"\(a)\"}}", ["1! {…} | an object without \"id\" or \"app_key_id\""]),
  ])
  func outputs_of_terraform(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  /// What is nested too deep is not called broken.
  @Test(arguments: [
    (
      String(repeating: "{\"a\":", count: 100) + "1" + String(repeating: "}", count: 100),
      "values nested more than 64 deep"
    ),
    ("{\"ids\":[\"x\",]}", "broken JSON inside the object"),
  ])
  func anObjectThatCannotBeReadSaysWhy(list: String, reason: String) throws {
    let found = try entries(list)
    #expect(found.count == 1 && found[0].hasPrefix("1! {…} | \(reason)"), "\(found)")
  }

  @Test func what_terraform_shows_of_a_state() throws {
    func resource(_ type: String, _ id: String) -> String {
      "{\"mode\":\"managed\",\"type\":\"\(type)\",\"values\":{\"id\":\"\(id)\",\"scopes\":[\"\(c)\"]}}"
    }
    let list = """
      {"format_version":"1.0","terraform_version":"1.9.0","values":{"outputs":{"x":{"value":["\(c)"]}},"root_module":{
      "resources":[\(resource("datadog_application_key", a)),\(resource("datadog_user", c))],
      "child_modules":[{"resources":[\(resource("datadog_service_account_application_key", b))]}]}}}
      """
    #expect(try entries(list) == ["2 a", "3 b"])
  }
}

private let manyIDs =
  "not a UUID (8-4-4-4-12 hexadecimal): 2 ids and other words are on the line; "
  + "a list with several columns needs a header line with a column app_key_id, key_id, uuid or id"
private let quotes = "broken JSON: a key id must be in double quotes"
