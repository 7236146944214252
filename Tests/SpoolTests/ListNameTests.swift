import Spool
import Testing

struct ListNameTests {
  @Test(arguments: ["team-a.csv", "Team A (2).txt", "größe.json", "-rf", "a%2Fb"])
  func a_printable_file_name_is_the_list_name(name: String) throws {
    #expect(ListName(of: FileName(name)).text == name)
    #expect(try ListName(name).text == name)
  }

  @Test(
    arguments: [
      (Array("a\u{1b}b\n".utf8), "a%1Bb%0A"),
      ([0x61, 0xff, 0x62, 0xc3], "a%FFb%C3"),
      ([0xe2, 0x82, 0x61], "%E2%82a"),
      (Array("a\u{202e}b".utf8), "a%E2%80%AEb"),
      (Array("x.receipt.json".utf8), "x.receipt.json.list"),
      (Array("x.reason.txt".utf8), "x.reason.txt.list"),
      (Array("0123456789abcdef0123456789abcdef01234567.csv".utf8), "(redacted).csv"),
      (Array("a ddapp_Ab3dEf6hIj9l.txt".utf8), "a (redacted).txt"),
      (Array("DD_API_KEY=0123.csv".utf8), "DD_API_KEY=(redacted)"),
    ] as [([UInt8], String)])
  func what_is_not_printable_is_written_in_hexadecimal(bytes: [UInt8], expected: String) {
    #expect(ListName(of: FileName(bytes: bytes)).text == expected)
  }

  @Test(arguments: [
    String(repeating: "a", count: 255), String(repeating: "é", count: 127), String(repeating: "\u{1}", count: 255),
    String(repeating: "x", count: 251) + ".csv",
  ])
  func a_long_file_name_gives_a_name_from_which_all_others_fit(name: String) {
    let list = ListName(of: FileName(name))
    #expect(list.text.utf8.count <= ListName.maximumLength)
    #expect(list == ListName(of: FileName(name)))
    #expect(list != ListName(of: FileName(name.dropLast() + "y")))
    let last = list.numbered(9_999_999)
    for file in [last.fileName, last.receiptFileName, last.reasonFileName, last.resultsFileName] {
      #expect(file.bytes.count <= 255)
    }
  }

  @Test(arguments: [
    ("", "it is empty"), ("a/b", "it contains a slash"), (".hidden", "its name begins with a dot"),
    ("a\nb", "it contains control characters"), ("a.tmp", "its name ends in .tmp, like an unfinished file"),
    ("a~", "its name ends in ~, like an editor's backup"),
    ("DD_API_KEY=0123", "it seems to contain a secret, and names are shown everywhere"),
    ("a.receipt.json", ".receipt.json is for the spool's own files"),
    (String(repeating: "a", count: 235), "it is longer than 234 bytes"),
  ])
  func a_name_that_somebody_chose_is_checked(name: String, fault: String) {
    let error = #expect(throws: SpoolError.self) { try ListName(name) }
    #expect(error?.kind == .invalidName)
    #expect(error?.message.hasSuffix("cannot be the name of a list: \(fault)") == true)
    #expect(error?.message.contains("=0123") == false)
  }

  /// Swift's strings are equal where Unicode says that they are the same text.
  @Test(arguments: [("caf\u{e9}", "cafe\u{301}"), ("\u{212a}elvin", "Kelvin")])
  func names_are_told_apart_by_their_bytes(one: String, other: String) {
    let names = [one, other, one].map { ListName(filed: FileName($0)) }
    #expect(names[0] != names[1] && names[0] == names[2] && Set(names).count == 2)
  }

  @Test func names_are_ordered_by_their_bytes() {
    let names = ["b", "a", "B", "ä", "a.csv", "10", "9"].map { FileName($0) } + [FileName(bytes: [0xff])]
    #expect(names.sorted().map(\.description) == ["10", "9", "B", "a", "a.csv", "b", "ä", "\u{fffd}"])
  }

  @Test func numbers_are_added_from_two_on() throws {
    let name = try ListName("a.csv")
    #expect([1, 2, 3].map { name.numbered($0).text } == ["a.csv", "a.csv.2", "a.csv.3"])
  }
}
