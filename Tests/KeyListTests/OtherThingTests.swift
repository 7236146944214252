import KeyList
import Testing

/// Lists in which ids of users, accounts and other things are among those of application keys, or in their place.
/// `a` and `b` are keys, `c` never is.
struct OtherThingTests {
  private func keys(_ list: String) throws -> [String] {
    var reader = KeyListReader(bytes: list.utf8)
    return try reader.all().filter { $0.key != nil }.map(\.shown)
  }

  private static func output(_ type: String, _ value: String) -> String {
    "{\"ci\":{\"sensitive\":false,\"type\":[\"\(type)\",{}],\"value\":\(value)}}"
  }

  @Test(arguments: [
    (output("object", "{\"id\":\"\(a)\",\"owner_id\":\"\(c)\",\"service_account_id\":\"\(c)\"}"), ["1 a"]),
    (output("object", "{\"name\":\"x\",\"app_key_id\":\"\(a)\",\"user\":\"\(c)\"}"), ["1 a"]),
    (output("object", "{\"key\":\"\(a)\",\"owner\":\"\(c)\",\"created_by\":\"\(c)\"}"), ["1 a"]),
    (output("object", "{\"ci\":\"\(a)\",\"lint\":\"\(b)\"}"), ["1 a", "1 b"]),
    (output("object", "{\"admins\":[\"\(c)\"],\"ci\":[\"\(a)\"]}"), ["1 a"]),
    (output("object", "{\"ci\":{\"id\":\"\(a)\"},\"owner\":{\"id\":\"\(c)\"}}"), ["1 a"]),
    (output("map", "{\"admin\":\"\(a)\",\"id\":\"\(b)\"}"), ["1 a", "1 b"]),
    (output("object", "{\"id\":\"\(c)\",\"other\":\"\(c)\"}"), []), (output("object", "{\"owner_id\":\"\(c)\"}"), []),
  ])
  func the_values_of_a_terraform_output(list: String, expected: [String]) throws {
    #expect(try keys(list) == expected)
  }

  @Test(arguments: [
    "[{\"id\":\"\(c)\",\"app_keys\":[]},{\"id\":\"\(c)\",\"app_keys\":[{\"id\":\"\(a)\"}]}]",
    "[{\"id\":\"\(c)\",\"mail\":\"x\"},{\"id\":\"\(c)\",\"app_keys\":[{\"id\":\"\(a)\"}]}]",
    "{\"id\":\"\(c)\",\"keys\":[\"\(a)\"]} {\"uuid\":\"\(c)\"}",
    "{\"data\":[{\"id\":\"\(c)\"},{\"id\":\"\(c)\",\"ids\":[\"\(a)\"]}]}",
  ])
  func what_has_keys_elsewhere_in_the_list_is_no_key_itself(list: String) throws {
    #expect(try keys(list) == ["1 a"])
    var reader = KeyListReader(bytes: list.utf8)
    let bad = try reader.all().compactMap(\.bad)
    #expect(bad.count == 1 && bad.first?.reason.description.hasPrefix("an object with an id of its own") == true)
  }

  /// Reasons quote names, and a name may say anything.
  @Test(arguments: [
    ("{\"not an application key\":\"\(a)\"}\n", false),
    ("user_id: \(a)\n", true), ("{\"type\":\"users\",\"id\":\"\(a)\"}\n", true), ("{\"owner_ids\":[\"\(a)\"]}\n", true),
    ("id,type\n\(a),user\n", true),
  ])
  func whether_an_id_is_that_of_something_else_is_no_matter_of_words(list: String, isOfOther: Bool) throws {
    var reader = KeyListReader(bytes: list.utf8)
    #expect(try reader.all().map { $0.bad?.reason.isOfOther } == [isOfOther])
  }

  /// The contract: several ids on a line are several keys, unless every line has the same number of them.
  @Test(arguments: [
    "\(a) \(c)\n\(b) \(c)\n\(a)\n", "\(a)\n\(b) \(c)\n\(a) \(c)\n", "\(a), \(b), \(c)\n\(a), \(b), \(c)\n\(a)\n",
    "[[\"\(a)\",\"\(b)\"],[\"\(c)\",\"\(a)\"]]", "[\"\(a)\",\"\(b)\"]\n[\"\(c)\",\"\(a)\"]\n",
  ])
  func several_ids_on_a_line_or_in_an_array_are_several_keys(list: String) throws {
    #expect(Set(try keys(list).map { $0.suffix(1) }) == ["a", "b", "c"])
  }

  @Test func a_member_with_a_table_is_refused() throws {
    #expect(try keys("{\"rows\":[[\"\(a)\",\"\(c)\"],[\"\(b)\",\"\(c)\"]]}").isEmpty)
    #expect(try keys("[[\"\(a)\",\"x\"],[\"\(b)\",\"y\"]]").count == 2)
    let page = Array(repeating: "\"\(a)\"", count: 100).joined(separator: ",")
    #expect(try keys("[[\(page)],[\(page)]]").count == 200)
  }

  @Test(arguments: [
    ("\(a) ci\n\(b) \(c)\n", ["1 a", "2 b"]), ("ci \(a)\n\(c) \(b)\n", ["1 a", "2 b"]),
    ("\(a) ci\n\(b) \(c)\n\(a) x\n", ["1 a", "2 b", "3 a"]), ("\(a) Jo Doe\n\(b) \(c) x\n", ["1 a", "2 b"]),
  ])
  func a_name_that_looks_like_an_id(list: String, expected: [String]) throws {
    #expect(try keys(list) == expected)
    #expect(try entries(list).contains { $0.contains("another id is in the place of a name") })
  }

  @Test(arguments: [
    ("Key ID\n\(a)\nOwner ID\n\(c)\nKey ID\n\(b)\nOwner ID\n\(c)\n", ["2 a", "6 b"]),
    ("Name\nci\nApp key ID\n\(a)\nCreated by\n\(c)\n", ["4 a"]),
    ("created_by\n\(c)\n", []), ("actor\n\(c)\n", []), ("\"Public ID\"\n\"\(c)\"\n", []), ("user\n\(c)\n\(c)\n", []),
    ("Platform team\n\(a)\n", ["2 a"]), ("key\n\(a)\n", ["2 a"]),
    ("admins:\n- \(c)\n", []), ("APIKeys:\n- \(c)\n", []), ("API keys\n\(c)\n", []), ("Users (3):\n\(c)\n", []),
    ("## Users\n- \(c)\n## Application keys\n- \(a)\n", ["4 a"]), ("# Users\n\(c)\n# CI keys\n\(a)\n", ["4 a"]),
    ("# Keys of CI\n\(a)\n# team a: users\n\(b)\n", ["2 a", "4 b"]),
    ("terraform import datadog_user.x \(c)\n", []),
    ("terraform import datadog_application_key.x \(a)\nterraform import datadog_user.x \(c)\n", ["1 a"]),
    ("module.x.datadog_role.y[\"z\"] \(c)\n", []),
    (
      "resource \"datadog_application_key\" \"x\" {\n  id = \"\(a)\"\n}\nresource \"datadog_user\" \"x\" {\n  id = \"\(c)\"\n}\n",
      ["2 a"]
    ),
    (
      "app_keys:\n- id: \(a)\n  owner:\n    id: \(c)\n- owner:\n    id: \(c)\n  id: \(b)\n",
      ["2 a", "7 b"]
    ),
    ("user \(c)\nuser \(c)\n", []), ("--user-id \(c)\n", []), ("x created user \(c)\ny created user \(c)\n", []),
    ("INSERT INTO users (id) VALUES ('\(c)');\nINSERT INTO users (id) VALUES ('\(c)');\n", []),
    ("admin \(a)\nci \(b)\n", ["1 a", "2 b"]), ("\(a) user\n\(b) owner\n", ["1 a", "2 b"]),
    ("pulumi import datadog:index/user:User x \(c)\n", []),
    ("pulumi import datadog:index/applicationKey:ApplicationKey x \(a)\n", ["1 a"]),
    ("import {\n  to = datadog_user.x\n  id = \"\(c)\"\n}\n", []),
    ("import {\n  to = datadog_application_key.x\n  id = \"\(a)\"\n}\n", ["3 a"]),
    ("ID        NAME\n\(a)  ci\n\nUSER ID        NAME\n\(c)  jane\n", ["2 a"]),
    ("=== Keys ===\n\(a)\n=== Users ===\n\(c)\n", ["2 a"]), ("; users\n\(c)\n", []), ("/* users */\n\(c)\n", []),
    ("list of users\n\(c)\n", []), ("These are the user ids:\n\(c)\n", []),
    ("user:\n  id: \(c)\n", []), ("- id: \(c)\n  type: users\n", []), ("- id: \(c)\n  user_id: \(c)\n", []),
  ])
  func below_and_beside_names(list: String, expected: [String]) throws {
    #expect(try keys(list) == expected)
  }

  @Test(arguments: [
    ("{\"kind\":\"User\",\"id\":\"\(c)\"}", []), ("{\"object\":\"key\",\"id\":\"\(a)\"}", ["1 a"]),
    ("{\"admins\":[\"\(c)\"]}", []), ("{\"deleted\":[\"\(c)\"]}", []), ("{\"failed\":[{\"id\":\"\(c)\"}]}", []),
    ("{\"app_key_owner_ids\":[\"\(c)\"]}", []), ("{\"ids\":[\"\(c)\"],\"failed\":[\"\(c)\"]}", []),
    ("{\"app_keys\":[\"\(a)\"],\"failed\":[\"\(c)\"]}", ["1 a"]), ("{\"team_a_keys\":[\"\(a)\"]}", ["1 a"]),
  ])
  func arrays_of_something_else(list: String, expected: [String]) throws {
    #expect(try keys(list) == expected)
  }
}
