import KeyList
import Registration
import Testing

private let notAnID = "not a UUID (8-4-4-4-12 hexadecimal)"
private let needsHeader =
  "a list with several columns needs a header line with a column app_key_id, key_id, uuid or id"
private let dashless =
  "32 hexadecimal digits are a key id without its dashes, or an API key; write the id as it is shown beside the key"
private let pair =
  "two ids in one, as Terraform imports the key of a service account: the second is the key's; "
  + "to keep only that: cut -d: -f2 FILE"

struct KeyListTextTests {
  @Test(arguments: [
    ("", []),
    ("\n\n \t\n", []),
    ("# nothing but a comment", []),
    (a, ["1 a"]),
    ("\(a)\n\(b)\n", ["1 a", "2 b"]),
    ("\(a)\r\n\r\n\(b)\r\n", ["1 a", "3 b"]),
    ("\(a)\r\(b)\r", ["1 a", "2 b"]),
    ("\(a)\n\n\r\(b)", ["1 a", "4 b"]),
    ("\u{feff}\(a)\n\(b)", ["1 a", "2 b"]),
    ("\(a)\n\u{feff}\(b)", ["1 a", "2 b"]),
    ("  \(a)\t\n\u{a0}\(b)\u{200b}\n", ["1 a", "2 b"]),
    ("\"\(a)\"\n'\(b)'\n `\(c)` ", ["1 a", "2 b", "3 c"]),
    ("\" \(a) \"", ["1 a"]),
    (c.uppercased(), ["1 c"]),
    ("# head\n  # more\n\(a) # why\n\(b)\t#\n", ["3 a", "4 b"]),
    ("garbage\n\(a)", ["1! garbage | \(notAnID)", "2 a"]),
    ("id and more\n\(a)", ["1! id and more | \(notAnID)", "2 a"]),
  ])
  func a_text_list_has_one_id_a_line(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  @Test(arguments: [
    ("not-a-uuid", notAnID),
    ("0123456789abcdef0123456789abcdef", "\(notAnID): \(dashless)"),
    ("\(a.dropLast())", notAnID),
    ("\(a)0", "\(notAnID): there is more than a key id on the line"),
    ("\(a)#x", "\(notAnID): there is more than a key id on the line"),
    ("\(a):\(b)", "\(notAnID): \(pair)"),
    ("\(a) \(b) x", "\(notAnID): 2 ids and other words are on the line; \(needsHeader)"),
    ("{\(a)", "\(notAnID): there is more than a key id on the line"),
    (a.split(separator: "-").joined(separator: "–"), "\(notAnID): write the dashes as plain hyphens"),
    (a.replacing("a", with: "g"), notAnID),
    ("\"\"", "\(notAnID): the quotes are empty"),
    (a + "\0", "\(notAnID): the line contains NUL bytes"),
  ])
  func a_bad_line_is_reported_with_a_reason_and_stops_nothing(line: String, reason: String) throws {
    let found = try entries("\(b)\n\(line)\n\(c)\n")
    #expect(found.count == 3)
    #expect(found.first == "1 b")
    #expect(found.last == "3 c")
    #expect(found[1].hasPrefix("2! "))
    #expect(found[1].hasSuffix(" | \(reason)"))
  }

  @Test func a_line_that_is_not_utf8_is_bad_and_the_list_is_not() throws {
    let list = Array("\(a)\n".utf8) + [0xff, 0xfe, 0x41, 0x0a] + Array(b.utf8)
    let found = try entries(list)
    #expect(found == ["1 a", "2! \u{fffd}\u{fffd}A | \(notAnID): the line is not UTF-8", "3 b"])
  }

  @Test func the_text_of_a_bad_line_is_cut_at_200_characters() throws {
    let bad = String(repeating: "é", count: 5000)
    var reader = KeyListReader(bytes: "\(a)\n\(bad)".utf8)
    let line = try #require(try reader.all().last?.bad)
    #expect(line.text == String(repeating: "é", count: 199) + "…")
  }

  @Test func control_characters_of_a_bad_line_are_escaped() throws {
    #expect(try entries("\(a)\n\u{1b}[2Jx\u{202e}\n") == ["1 a", "2! \\u{1b}[2Jx\\u{202e} | \(notAnID)"])
  }

  @Test(arguments: ["0123456789abcdef0123456789abcdef01234567", "ddapp_Ab3dEf6hIj9lMn2pQr5tUv8x"])
  func an_application_key_in_place_of_its_id_is_not_shown(secret: String) throws {
    var reader = KeyListReader(bytes: "\(a)\nname,\(secret),x\n\(secret)\n{\"id\":\"\(secret)\"}".utf8)
    let bad = try reader.all().compactMap(\.bad)
    #expect(bad.count == 3)
    for line in bad { #expect(!line.text.contains(secret.dropFirst(6))) }
    #expect(bad[1].reason == .notAnID(.secret(.applicationKey)))
  }

  @Test func a_line_longer_than_the_window_is_bad_and_costs_no_memory() throws {
    let long = String(repeating: "x", count: 300_000)
    let found = try entries("\(a)\n\(long)\n\(b)\n# \(long)\n\(c)")
    #expect(found.count == 4)
    #expect(found[1].hasPrefix("2! xxxx"))
    #expect(found[1].hasSuffix("… | \(notAnID): the line is longer than 65536 bytes"))
    #expect(found[2...] == ["3 b", "5 c"])
  }

  @Test(arguments: [65534, 65535, 65536, 65537])
  func the_longest_line_is_as_long_as_the_window(spaces: Int) throws {
    let list = String(repeating: " ", count: spaces - 36) + a + "\n" + b
    let found = try entries("\(c)\n\(list)")
    #expect(found.last == "3 b")
    #expect((found[1] == "2 a") == (spaces < 65536))
  }

  @Test func a_carriage_return_at_the_end_of_what_is_in_sight_belongs_to_its_line_feed() throws {
    let first = "# " + String(repeating: "x", count: 65536 - 3)
    #expect(try entries("\(first)\r\n\(a)\r\n\(b)\r\n") == ["2 a", "3 b"])
  }

  @Test(
    arguments: [
      ([0x1f, 0x8b, 8, 0], "gzip data"),
      ([0x28, 0xb5, 0x2f, 0xfd, 0], "zstd data"),
      ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0], "xz data"),
      (Array("BZh9".utf8) + [0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0xff], "bzip2 data"),
      ([0x50, 0x4b, 3, 4, 20, 0], "a ZIP archive or a spreadsheet"),
      ([0xff, 0xfe, 0, 0, 0x41, 0, 0, 0], "in UTF-32, not in UTF-8"),
      (a.utf8.flatMap { [$0, 0] }, "in UTF-16LE, not in UTF-8"),
      (a.utf8.flatMap { [0, $0] }, "in UTF-16BE, not in UTF-8"),
      (Array("\u{7f}ELF".utf8) + [2, 1, 1, 0, 0, 0, 0, 7], "binary: it contains NUL bytes"),
      (Array("SQLite format 3\0\(a)".utf8), "an SQLite database"),
      (Array("%PDF-1.7\n1 0 obj\n(\(a) x)\n".utf8), "a PDF document"),
      (Array("{\\rtf1\\ansi \(a)\\par\n}".utf8), "an RTF document"),
      (Array("\u{feff}\n<!DOCTYPE html>\n<p>\(a), id</p>\n".utf8), "an HTML page"),
      (Array("lists/".utf8) + [UInt8](repeating: 0, count: 251) + Array("ustar\0".utf8), "a tar archive"),
    ] as [([UInt8], String)])
  func what_is_no_utf8_text_is_refused_with_what_it_is(list: [UInt8], what: String) throws {
    let error = #expect(throws: KeyListError.self) { try entries(list) }
    let message = try #require(error?.message)
    #expect(message == "the list is \(what)")
    #expect(error?.line == 1)
    #expect(error?.hint.isEmpty == false)
  }

  @Test func a_page_with_a_line_that_is_an_id_is_read() throws {
    let found = try entries("<html><pre>\n\(a)\n</pre>\n")
    #expect(found.count == 2 && found[1] == "2 a")
  }

  @Test func a_nul_byte_among_good_lines_spoils_its_line_only() throws {
    #expect(
      try entries("\(a)\n\0\0\n\(b)") == ["1 a", "2! \\u{0}\\u{0} | \(notAnID): the line contains NUL bytes", "3 b"])
  }
}
