import KeyList
import Testing

/// Names in text lists: those of application keys are good for the ids after them, those of other things never.
struct HeadingTests {
  @Test(arguments: [
    ("DD_APP_KEY_ID=\(a)\n", ["1 a"]), ("export TEAM_A_APP_KEY_ID_2=\"\(a)\"\n", ["1 a"]),
    ("APP_KEY_IDS=\(a),\(b)\n", ["1 a", "1 b"]), ("Key ID: \(a)\nKey ID: \(b)\n", ["1 a", "2 b"]),
    ("app_key_ids: [\(a), \(b)]\n", ["1 a", "1 b"]), ("app_key_ids = [\"\(a)\", \"\(b)\"]\n", ["1 a", "1 b"]),
    ("- key_id: \(a)\n- key_id: \(b)\n", ["1 a", "2 b"]),
    ("app_key_ids:\n  - \(a)\n  - \(b)\n", ["2 a", "3 b"]),
    ("app_key_ids = tolist([\n  \"\(a)\",\n])\n", ["2 a"]),
    ("tolist([\n  \"\(a)\",\n  \"\(b)\",\n])\n", ["2 a", "3 b"]),
    ("[app keys]\n\(a)\n", ["2 a"]),
    ("**Key IDs:**\n\(a)\n", ["1! **Key IDs:** | not a UUID (8-4-4-4-12 hexadecimal)", "2 a"]),
    ("$app_key_ids = @(\n  '\(a)',\n  '\(b)'\n)\n", ["2 a", "3 b"]),
    ("app_key_ids: |\n  \(a)\n  \(b)\n", ["2 a", "3 b"]), ("APP_KEY_IDS=\"\n\(a)\n\(b)\"\n", ["2 a", "3 b"]),
    ("app_key_ids = <<EOT\n\(a)\nEOT\n\(b)\n", ["2 a", "4 b"]),
    ("<app_key_ids>\n\(a)\n</app_key_ids>\n\(b)\n", ["2 a", "4 b"]),
  ])
  func a_name_of_application_keys(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  @Test(arguments: [
    ("user_ids:\n- \(a)\napp_key_ids:\n- \(b)\n", "user_ids", ["4 b"]),
    ("app_key_ids = [\n  \"\(a)\",\n]\nowners = toset([\n  \"\(b)\",\n])\n", "owners", ["2 a"]),
    ("User IDs:\n\(a)\n\(b)\nTeam A:\n\(c)\n", "User IDs", ["5 c"]),
    ("users:\n- name: x\n  ids:\n  - \(a)\n", "users", []), ("users:\n- ids:\n  - \(a)\n", "users", []),
    ("users:\n- name: x\n  app_key_ids:\n  - \(a)\n", "users", ["4 a"]),
    ("api_keys:\n- app_key_id: \(a)\n", "api_keys", ["2 a"]), ("API keys:\n- \(a)\n", "API keys", []),
    ("service_access_tokens:\n- \(a)\n", "service_access_tokens", []),
    ("user_id\n\(a)\n\(b)\n", "user_id", []), ("Owner ID\n\"\(a)\"\n", "Owner ID", []),
    ("[users]\n\(a)\n[team-a]\n\(b)\n", "users", ["4 b"]),
    ("*User IDs:*\n- \(a)\n*Keys:*\n- \(b)\n", "User IDs", ["4 b"]),
    ("dashboard_ids = [\n  \"\(a)\",\n]\n\"\(b)\"\n", "dashboard_ids", ["4 b"]),
    ("users: |\n  \(a)\napp_key_ids: >-\n  \(b)\n", "users", ["4 b"]), ("user_ids: &u\n- \(a)\n", "user_ids", []),
    ("user_ids: !!seq\n- \(a)\n", "user_ids", []), ("user_ids = <<-'EOT'\n\(a)\nEOT\n\(b)\n", "user_ids", ["4 b"]),
    ("USERS=\"\n\(a)\n\"\n\(b)\n", "USERS", ["4 b"]), ("USERS='\n\(a)\n\(a)'\n\(b)\n", "USERS", ["4 b"]),
    ("user_ids = \"\"\"\n\(a)\n\"\"\"\n\(b)\n", "user_ids", ["4 b"]),
    ("const userIds = `\n\(a)\n`;\n\(b)\n", "userIds", ["4 b"]),
    ("$userIds = @\"\n\(a)\n\"@\n\(b)\n", "userIds", ["4 b"]),
    ("user_ids = [ // theirs\n\(a),\n]\n\(b)\n", "user_ids", ["4 b"]),
    ("user_ids = [ /* theirs */\n\(a),\n]\n\(b)\n", "user_ids", ["4 b"]),
    ("<users>\n\(a)\n</users>\n\(b)\n", "users", ["4 b"]),
    ("<user_ids kind=\"x\">\n\(a)\n</user_ids>\n\(b)\n", "user_ids", ["4 b"]),
    ("user_ids ->\n\(a)\n", "user_ids", []), ("==> users.txt <==\n\(a)\n", "users.txt", []),
  ])
  func below_the_name_of_something_else_no_id_counts(list: String, name: String, keys: [String]) throws {
    var reader = KeyListReader(bytes: list.utf8)
    let found = try reader.all()
    #expect(found.filter { $0.key != nil }.map(\.shown) == keys)
    for bad in found.compactMap(\.bad) where bad.text.contains("-4000-") || bad.text.contains("-5111-") {
      #expect(bad.reason == .other(.below(name)))
    }
  }

  @Test(arguments: [
    ("user_id=\(a)", "user_id"), ("app_key_owner_id=\(a)", "app_key_owner_id"), ("team-a: \(a)", "team-a"),
    ("TEAM_A_KEY_ID=\(a)", "TEAM_A_KEY_ID"), ("\"team-a\" = \"\(a)\"", "team-a"),
  ])
  func a_name_that_may_be_of_anything_is_no_guess(line: String, name: String) throws {
    let reason =
      name != "team-a" && !name.hasSuffix("KEY_ID")
      ? "not the id of an application key: it is named \"\(name)\""
      : "the name \"\(name)\" does not say that this is the id of an application key; name it app_key_id, or write only the id"
    #expect(try entries("\(line)\n\(b)\n") == ["1! \(line) | \(reason)", "2 b"])
  }

  @Test func a_first_line_with_an_id_is_not_taken_for_titles() throws {
    #expect(try entries("id   : \(a)\n\(b)\n") == ["1 a", "2 b"])
    #expect(try entries("key_id   : \(a)\nkey_id   : \(b)\n") == ["1 a", "2 b"])
  }

  @Test func an_id_in_a_longer_word_is_never_passed_over() throws {
    let found = try entries("@('\(a)','\(b)','\(c)')\n")
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("1!") == true)
  }
}
