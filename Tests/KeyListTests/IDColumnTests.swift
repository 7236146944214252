import KeyList
import Testing

/// Text with words beside the ids. `a` and `b` are keys, `c` never is.
struct IDColumnTests {
  private func shown(_ list: String) throws -> [String] {
    try entries(list).map { $0.contains("!") ? String($0.prefix { $0 != "!" }) + "!" : $0 }
  }

  /// The bad line costs itself, as long as most lines have an id and words, and none says that they mean something else.
  @Test(arguments: [
    ("bad line\n\(a) ci\n\(b) lint\n", ["1!", "2 a", "3 b"]), ("\(a) ci\n1234 x\n\(b) lint\n", ["1 a", "2!", "3 b"]),
    ("\(a) ci\n\(c)x lint\n\(b) x\n", ["1 a", "2!", "3 b"]),
    ("ci \(a)\nowner: \(c)\nlint \(b)\n", ["1 a", "2!", "3 b"]),
    ("Keys:\n\(a)\n\(b)\nold key of Bob \(c)\n", ["1!", "2 a", "3 b", "4!"]), ("bad line\n\(c) x\n", ["1!", "2!"]),
    ("id    \(c)\nowner \(c)\n", ["1!", "2!"]),
  ])
  func a_bad_line_among_ids_with_words(list: String, expected: [String]) throws {
    #expect(try shown(list) == expected)
  }

  @Test(arguments: ["\(c) \(a)\n\(c) -\n\(c) \(b)\n\(c) \(b)\n", "\(c) \(a)\n\(c) \(b)"])
  func rows_of_two_ids_are_a_table(list: String) {
    #expect(throws: KeyListError.self) { try entries(list) }
  }

  @Test(arguments: [
    "００\(a.dropFirst(2))\n", "[\"\(a.dropLast())ａ\"]", "id,x\n\(a.replacing("-", with: "－")),1\n",
  ])
  func full_width_characters_are_what_they_stand_for(list: String) throws {
    var reader = KeyListReader(bytes: list.utf8)
    #expect(try reader.all().compactMap(\.key?.description) == [a])
  }
}
