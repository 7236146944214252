import KeyList
import Testing

/// Records of which each line is a name and a value, blocks of Terraform, and HTML. `a` and `b` are keys, `c` never is.
struct RecordLineTests {
  private static let key = "resource \"datadog_application_key\" \"x\" {\n"

  private func shown(_ list: String) throws -> [String] {
    try entries(list).map { $0.contains("!") ? String($0.prefix { $0 != "!" }) + "!" : $0 }
  }

  /// What a line says about the record around it is no bad line, unless an id is lost with it.
  @Test(arguments: [
    ("-[ RECORD 1 ]-+--\nname | x\nid | \(a)\n-[ RECORD 2 ]-+--\nname | y\nid | \(b)\n", ["3 a", "6 b"]),
    ("-[ RECORD 1 ]-+--\nid | \nname | x\n-[ RECORD 2 ]-+--\nid | \(b)\nname | y\n", ["2!", "5 b"]),
    ("-[ RECORD 1 ]-+--\nowner | \(c)\nid | \(a)\n", ["2!", "3 a"]),
    ("*** 1. row ***\n  id: \(a)\nname: x\n*** 2. row ***\n  id: \(b)\nname: y\n", ["2 a", "5 b"]),
    ("Name  : x\nId    : \(a)\nOwner : Bob\n\nName  : y\nId    : \(b)\n", ["2 a", "6 b"]),
    ("Id : \(a)\nOwner : @{id=\(c)}\nId : none\nNote : \(b)x\n", ["1 a", "2!", "3!", "4!"]),
    ("- name: x\n  id: \(a)\n  tags:\n", ["2 a"]), ("name: x\n\(a)\n", ["1!", "2 a"]),
    ("Id : \(a)\nKey : 0123456789abcdef0123456789abcdef01234567\n", ["1 a", "2!"]),
  ])
  func properties(list: String, expected: [String]) throws {
    #expect(try shown(list) == expected)
  }

  @Test(arguments: [
    ("\(key)  id = \"\(a)\"\n  name = \"x\"\n  owner {\n    id = \"\(c)\"\n  }\n}\n", ["2 a", "4!", "5!"]),
    ("\(key)  owner {\n    id = \"\(c)\"\n  }\n  id = \"\(a)\"\n}\n\(b)\n", ["2!", "3!", "5 a", "7 b"]),
    ("\(key)id = \"\(a)\"\nowner {\nid = \"\(c)\"\n}\n}\n", ["2 a", "3!", "4!"]),
    ("\(key)owner {\naddress {\n}\nid = \"\(c)\"\n}\nid = \"\(a)\"\n}\n", ["2!", "5!", "7 a"]),
    ("\(key)lifecycle {\nid = \"\(c)\"\n}\n}\n", ["3!"]),
    ("user \"x\" {\n\"\(c)\"\n}\n\"\(a)\"\n", ["1!", "2!", "4 a"]),
    ("variable \"user_ids\" {\n  default = [\n    \"\(c)\",\n  ]\n}\n", ["1!", "2!", "3!", "4!"]),
    ("module \"app_keys\" {\n  ids = [\"\(a)\", \"\(b)\"]\n}\n", ["2 a", "2 b"]),
  ])
  func blocks(list: String, expected: [String]) throws {
    #expect(try shown(list) == expected)
  }

  @Test(arguments: [
    ("<li>\(a)</li><li>\(b)</li>\n", ["1 a", "1 b"]), ("<ul><li class=\"x\"> \(a) </li></ul>\n", ["1 a"]),
    ("<td>\(a)</td><td>\(b)</td>\n", ["1 a", "1 b"]), ("\(a)<br>\(b)<br/>\n", ["1 a", "1 b"]),
    ("<p>\(a)</p>\n", ["1 a"]),
    ("<table><tr><td>\(a)</td></tr><tr><td>\(b)</td></tr></table>\n", ["1 a", "1 b"]),
    ("<tr><th>Name</th><th>Key ID</th></tr>\n<tr><td>x</td><td>\(a)</td></tr>\n", ["2 a"]),
    ("<tr><td>\(c)</td><td>\(c)</td></tr>\n", ["1!"]), ("<tr><td>x</td></tr><tr><td>\(c)</td></tr>\n", ["1!"]),
    ("<tr>\n<td>\(c)</td>\n<td>\(c)</td>\n</tr>\n", ["2!", "3!"]), ("<li id=\"\(c)\">\(c)</li>\n", ["1!"]),
    ("<p>Users:</p><p>\(c)</p>\n", ["1!"]), (">> \(a)\n>>\(b)\n", ["1 a", "2 b"]),
  ])
  func marks(list: String, expected: [String]) throws {
    #expect(try shown(list) == expected)
  }
}
