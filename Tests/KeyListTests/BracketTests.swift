import KeyList
import Registration
import Testing

private let unclosed = "not a UUID (8-4-4-4-12 hexadecimal): the bracket is not closed"
private let notAnID = "not a UUID (8-4-4-4-12 hexadecimal)"

/// Brackets on lines of their own around ids that are not in double quotes, so that the list is no JSON.
struct BracketTests {
  @Test(arguments: [
    ("[\n\(a)\n\(b)\n]\n", ["2 a", "3 b"]),
    ("[\n  '\(a)',\n  '\(b)',\n]", ["2 a", "3 b"]),
    ("# keys\n[ # of the team\n\(a)\n],\n[\n\(b)\n];\n", ["3 a", "6 b"]),
    ("(\n\(a),\n\(b)\n)\n", ["2 a", "3 b"]),
    ("{\r\n\(a),\r\n\(b)\r\n}\r\n", ["2 a", "3 b"]),
    ("[\n\(a) one\n\(b) two\n]\n", ["2 a", "3 b"]),
    ("[\nx\n\(a)\n]\n", ["2! x | \(notAnID)", "3 a"]),
    ("[\n# one line\n\"\(a)\"\n]\n", ["3 a"]),
  ])
  func a_pair_is_not_part_of_any_id(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  @Test(arguments: [
    ("[\n\(a)\n", ["2 a", "1! [ | \(unclosed)"]),
    ("\(a)\n]\n", ["1 a", "2! ] | \(notAnID)"]),
    ("[\n\(a)\n)\n]\n", ["2 a", "3! ) | \(notAnID)"]),
    ("(\n(\n\(a)\n)\n", ["2! ( | \(notAnID)", "3 a"]),
    ("[ x\n\(a)\n]\n", ["1! [ x | \(notAnID)", "2 a", "3! ] | \(notAnID)"]),
  ])
  func one_without_the_other_is_a_bad_line(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  @Test func more_bytes_may_still_close_it() throws {
    var reader = KeyListReader(bytes: "[\n\(a)\n".utf8)
    #expect(try reader.all().count == 2)
    #expect(reader.settled == 1)
  }
}
