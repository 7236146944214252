import KeyList
import Testing

/// Lists that can mean only one thing, however they are written.
struct ClearTests {
  @Test(arguments: [
    ("id: \(a)\n", ["1 a"]), ("- id: \(a)\n- id: \(b)\n", ["1 a", "2 b"]), ("uuid = \(a)\n", ["1 a"]),
    ("ids = [\"\(a)\", \"\(b)\"]\n", ["1 a", "1 b"]), ("app_key_ids:\n  ci: \(a)\n  lint: \(b)\n", ["2 a", "3 b"]),
    ("app_key_ids = {\n  \"ci\" = \"\(a)\"\n}\n", ["2 a"]), ("\(a): ci\n\(b): lint\n", ["1 a", "2 b"]),
    ("\(a)\\\n\(b)\n", ["1 a", "2 b"]),
    ("\(a).\n\(b).\n", ["1 a", "2 b"]),
    ("app_key_ids = [\"\(a)\"] # x\n", ["1 a"]), ("app_key_ids = [\"\(a)\", \"\(b)\"] // x\n", ["1 a", "1 b"]),
    ("app_key_id: \(a)  # x\n", ["1 a"]),
    ("https://api.datadoghq.com/api/v2/application_keys/\(a)\n", ["1 a"]),
    ("https://x.datadoghq.eu/api/v2/service_accounts/\(c)/application_keys/\(a)?x=y\n", ["1 a"]),
    ("<https://app.datadoghq.com/organization-settings/application-keys?id=\(a)>\n", ["1 a"]),
    ("curl -X PUT https://api.datadoghq.com/api/v2/actions/app_key_registrations/\(a)\n", ["1 a"]),
    ("[\"/api/v2/current_user/application_keys/\(a)\"]", ["1 a"]),
  ])
  func they_are_read(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  /// TOML, the records of databases and PowerShell, HTML, Go, tables in JSON.
  @Test(arguments: [
    ("[[key]]\nid = \"\(a)\"\n\n[[key]]\nid = \"\(b)\"\n", ["2 a", "5 b"]),
    ("[[application_keys]]\nid = \"\(a)\"\nowner = \"\(c)\"\n", ["2 a", "3!"]),
    ("-[ RECORD 1 ]-\nid   | \(a)\nname | x\n-[ RECORD 2 ]-\nid   | \(b)\nname | y\n", ["2 a", "5 b"]),
    ("-[ RECORD 1 ]-\nid    | \(a)\nowner | \(c)\n", ["2 a", "3!"]), ("id | \(a)\nowner | \(c)\n", ["1 a", "2!"]),
    ("id | \(a)\nid | \(b)\n", ["1 a", "2 b"]),
    ("\nId    : \(a)\nOwner : \(c)\n\nId    : \(b)\nOwner : \(c)\n", ["2 a", "3!", "5 b", "6!"]),
    ("id: \(a)\ncreated_by: \(c)\nid: \(b)\nowner_id: \(c)\n", ["1 a", "2!", "3 b", "4!"]),
    ("<ul>\n  <li>\(a)</li>\n  <li>\(b)</li>\n</ul>\n", ["2 a", "3 b"]),
    ("[]string{\"\(a)\", \"\(b)\"}\n", ["1 a", "1 b"]), ("[]string{\"\(a)\", }\n", ["1 a"]),
    ("[]string{\n\t\"\(a)\",\n\t\"\(b)\",\n}\n", ["2 a", "3 b"]),
    ("var appKeyIDs = []string{\n\t\"\(a)\",\n}\n", ["2 a"]), ("appKeyIDs := []string{\"\(a)\"}\n", ["1 a"]),
    ("{\"columns\":[\"app_key_id\"],\"rows\":[[\"\(a)\"],[\"\(b)\"]]}", ["1 a", "1 b"]),
    ("{\"columns\":[\"id\",\"owner\"],\"rows\":[[\"\(a)\",\"x\"]]}", ["1 a"]),
    ("{\"columns\":[\"id\"],\"index\":[0],\"data\":[[\"\(a)\"]]}", ["1 a"]),
  ])
  func records_and_programs_are_read(list: String, expected: [String]) throws {
    #expect(try entries(list).map { $0.contains("!") ? String($0.prefix { $0 != "!" }) + "!" : $0 } == expected)
  }

  @Test(arguments: [
    "https://api.datadoghq.com/api/v2/users/\(a)\n", "https://api.datadoghq.com/api/v2/api_keys/\(a)\n",
    "https://api.datadoghq.com/api/v2/application_keys/\(a)/owner/\(b)\n", "\(a)/\(b)\n",
    "id: \(a)\nuuid: \(b)\n",
    "- id: \(a)\n  x:\n    id: \(b)\n",
    "[[key]]\nid = \"\(a)\"\n[key.owner]\nid = \"\(c)\"\n",
    "[key \"x\"]\n\tid = \(a)\n[owner \"y\"]\n\tid = \(c)\n",
    "[[user]]\nid = \"\(a)\"\n", "-[ RECORD 1 ]-\nuser_id | \(a)\nname | x\n",
    "-[ RECORD 1 ]-\nid | \(a)\nuser_id | \(b)\n", "Id   : \(a)\nUser : \(b)\n", "Owner : \(a)\nName : x\n",
    "owner | \(a)\n",
    "var users = []string{\n\t\"\(a)\",\n}\n", "users := []string{\"\(a)\"}\n",
    "String[] users = new String[] {\n\"\(a)\",\n};\n", "users = new Set([\n\"\(a)\",\n]);\n", "<li>user: \(a)</li>\n",
    "{\"columns\":[\"user_id\"],\"rows\":[[\"\(a)\"]]}", "{\"columns\":[{\"name\":\"user_id\"}],\"rows\":[[\"\(a)\"]]}",
    "{\"columns\":[\"users\"],\"data\":[[\"\(a)\"]]}", "{\"columns\":[\"id\",\"user_id\"],\"rows\":[[null,\"\(a)\"]]}",
    "{\"rows\":[[\"\(a)\"]],\"columns\":[\"user_id\"]}", "{\"meta\":[{\"name\":\"user_id\"}],\"data\":[[\"\(a)\"]]}",
  ])
  func what_may_mean_two_things_is_not(list: String) throws {
    var reader = KeyListReader(bytes: list.utf8)
    #expect(try reader.all().allSatisfy { $0.key == nil })
  }

  @Test func the_name_before_the_ids_is_in_the_receipt() throws {
    var reader = KeyListReader(bytes: "- name: x\n  id: \(a)\n- name: y\n  id: \(b)\n".utf8)
    #expect(try reader.all().compactMap(\.key).count == 2)
    #expect(reader.format == .text(.name("id")) && reader.format?.column == "id")
  }
}
