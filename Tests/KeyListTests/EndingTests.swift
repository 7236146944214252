import KeyList
import Registration
import Testing

/// What a reader says about the end of a list, and what more bytes after it may change.
struct EndingTests {
  @Test(arguments: [
    ("\(a)\n\(b)", true, 1), ("\(a)\n\(b)\n", false, 2), ("\(a)\n\(b)\r", false, 2), ("\(a),\(b)", true, 0),
    ("\(a)\n# comment", false, 1), ("\(a)\n ", false, 1), ("", false, 0),
    ("id\n\(a)\n\(b)", true, 1), ("id\n\(a)\n\(b)\n", false, 2), ("n,id\nx,\(a)\n\"y", true, 1),
    ("[\"\(a)\",\"\(b)\"]", false, 2), ("[\"\(a)\",\"\(b)\"", true, 1), ("{\"id\":\"\(a)\"}", false, 1),
    ("{\"id\":\"\(a)\"}\n{\"id\":\"\(b)\"", true, 1), ("[\"\(a)\",\"\(b)", true, 1),
  ])
  func whether_the_last_record_has_an_end(list: String, isUnterminated: Bool, settled: Int) throws {
    var reader = KeyListReader(bytes: list.utf8)
    _ = try reader.all()
    #expect(reader.ending.isUnterminated == isUnterminated)
    #expect(reader.settled == settled)
  }

  @Test(arguments: ["[\"\(a)\",", "{\"data\":[{\"id\":\"\(a)\"},\n{\"id\":\"", "[[\n\"\(a)\"]\n"])
  func a_document_without_its_end_is_cut_short(list: String) throws {
    var reader = KeyListReader(bytes: list.utf8)
    _ = try reader.all()
    let cut = try #require(reader.ending.cutShort)
    #expect((cut.read, cut.end, cut.total) == (list.utf8.count, list.utf8.count, list.utf8.count))
    #expect(cut.description == "read to byte \(list.utf8.count) of \(list.utf8.count)")
  }

  @Test func bytes_of_utf16_are_those_of_the_file() throws {
    let text = "\u{feff}[\"\u{1f600}\u{e9}\",\n\"\(a)\", {\"id\":}\n, \"\(b)\"]\n"
    let list = text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    var reader = KeyListReader(bytes: list)
    _ = try reader.all()
    let cut = try #require(reader.ending.cutShort)
    let place = try #require(text.firstRange(of: "}\n")).upperBound.utf16Offset(in: text)
    #expect(cut.read == 2 * (place - 1))
    #expect(cut.total == list.count)
  }

  /// A list that has grown is read again, skipping the known entries, so these must stay the same.
  @Test(arguments: 0..<ListMaker.Form.allCases.count)
  func more_bytes_change_no_entry_that_is_settled(form: Int) throws {
    var random = SplitMix64(seed: UInt64(form) + 23)
    for round in 0..<40 {
      let list = ListMaker.list(ListMaker.Form.allCases[form], isDamaged: round % 2 == 1, with: &random)
      var whole = KeyListReader(bytes: list)
      let all = try? whole.all()
      for _ in 0..<12 {
        let length = Int.random(in: 0...list.count, using: &random)
        var part = KeyListReader(bytes: list[..<length])
        guard let all, let some = try? part.all(), part.format == whole.format else { continue }
        #expect(part.settled <= all.count)
        #expect(
          Array(some.prefix(part.settled)) == Array(all.prefix(part.settled)),
          "\(length) bytes of \(String(decoding: list, as: UTF8.self))")
      }
    }
  }
}
