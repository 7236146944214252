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

  @Test(arguments: [
    "https://api.datadoghq.com/api/v2/users/\(a)\n", "https://api.datadoghq.com/api/v2/api_keys/\(a)\n",
    "https://api.datadoghq.com/api/v2/application_keys/\(a)/owner/\(b)\n", "\(a)/\(b)\n",
    "id: \(a)\nuuid: \(b)\n",
    "- id: \(a)\n  x:\n    id: \(b)\n",
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
