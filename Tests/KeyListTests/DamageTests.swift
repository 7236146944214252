import KeyList
import Registration
import Testing

/// Wrong keys must not be registered, nor right ones dropped in silence, when a list is damaged or merely unusual.
struct DamageTests {
  @Test func commas_in_quotes_part_no_columns_of_the_header() throws {
    #expect(try entries("\"Owner (last, first)\",app_key_id,org_id\n\"Doe, Jane\",\(a),\(c)\n") == ["2 a"])
    #expect(try entries("\"Owner; \"\"x\"\",\nmore\";id;org\n\"Doe, Jane\";\(a);\(c)\n") == ["3 a"])
  }

  @Test func a_record_may_begin_with_a_number_sign() throws {
    #expect(try entries("channel,id\n#infra,\(a)\n\"#ops\",\(b)\n") == ["2 a", "3 b"])
    #expect(try entries("channel,id,org\n#infra \"x,\(a),\(c)\n\"#a\nb\",\(b),\(c)\n") == ["2 a", "3 b"])
  }

  @Test func a_comment_between_records_is_reported() throws {
    #expect(
      try entries("name,id\n# more\nx,\(a)\n") == [
        "2! # more | taken for a comment: 1 field where the header has 2", "3 a",
      ])
  }

  @Test(arguments: [
    "x,\(a)\n,\(c)\n", "x,\n\(a),\(c)\n", "\(c)\n", "x,\(a),\(c),y\n",
    "\"x\nfoo,\(a)\n", "x,\"\(a)\n\",\(c),\(c)\n",
  ])
  func nothing_is_taken_from_a_broken_record(broken: String) throws {
    var reader = KeyListReader(bytes: "name,id,org\n\(broken)y,\(b),\(c)\n".utf8)
    let keys = try reader.all().compactMap(\.key)
    #expect(keys == [AppKeyID(b)])
  }

  @Test func an_opening_quote_too_many_swallows_no_records() throws {
    let found = try entries("name,id\n\"x,\(a)\ny,\(b)\n\"z\",\(c)\n")
    #expect(found.dropFirst() == ["3 b", "4 c"])
    let other = try entries("name,id\n\"x,\(a)\ny,\(b)\n\",\(c)\n")
    #expect(other.count == 3)
    #expect(other[1] == "3 b")
  }

  @Test func text_with_line_ends_in_quotes_is_no_damage() throws {
    #expect(try entries("note,id\n\"see\n\(c)\nand, more\",\(a)\n") == ["2 a"])
  }

  @Test(arguments: [
    "[\"\(a)\",\"\(b)\"}", "[\"\(a)\",\"\(b)\",:", "[\"\(a)\",\"\(b)\",{\"id\" : : \"\(c)\"}",
    "[\"\(a)\",\"\(b)\",\"owner\":\"\(c)\",\"id\":\"\(c)\"}",
    "{\"data\":[{\"id\":\"\(a)\"},{\"id\":\"\(b)\"}},{\"id\":\"\(c)\"}",
  ])
  func what_a_broken_line_of_json_costs_is_said(beginning: String) throws {
    let list = beginning + (0..<1_000).map { _ in ",\"\(c)\"" }.joined() + "]\n"
    var reader = KeyListReader(bytes: list.utf8)
    let found = try reader.all()
    #expect(found.prefix(2).map(\.shown) == ["1 a", "1 b"])
    #expect(found.count == 3)
    let cut = try #require(reader.ending.cutShort)
    #expect(cut.end == list.utf8.count && cut.total == cut.end && cut.read < 200 && cut.read > 70)
    #expect(found.last?.bad?.reason.contains("nothing behind it") == true)
    #expect(found.last?.bad?.reason.contains("\(cut.read)") == true)
    #expect(found.last?.bad?.reason.contains("\(cut.end - cut.read)") == true)
  }

  @Test(arguments: [
    "[\n{\"id\":\"\(a)\"},\n: { \"owner\" : \"\(c)\", \"id\" : \"\(c)\" }\n]\n",
    "[\n{\"id\":\"\(a)\"},\n\"owner\" : \"\(c)\", \"id\" : \"\(c)\" }\n]\n",
    "[\n{\"id\":\"\(a)\"},\nowner\" : \"\(c)\", \"id\" : \"\(c)\" }\n]\n",
    "[\n\"\(a)\",\n\"\(c)\" : 1, \"id\" : \"\(c)\" }\n]\n",
  ])
  func no_id_becomes_a_key_behind_damage(list: String) throws {
    var reader = KeyListReader(bytes: list.utf8)
    #expect(try reader.all().compactMap(\.key) == [AppKeyID(a)])
    #expect(reader.ending.cutShort != nil || list.contains("\nowner"))
  }

  @Test func a_bad_line_of_json_lines_cuts_nothing_short() throws {
    var reader = KeyListReader(bytes: "{\"id\":\"\(a)\"}\n{\"id\" \"\(c)\"}\n{\"id\":\"\(b)\"}\n".utf8)
    #expect(try reader.all().count == 3)
    #expect(reader.ending.cutShort == nil)
  }
}
