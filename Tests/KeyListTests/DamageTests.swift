import Foundation
import KeyList
import Registration
import Testing

/// When a list is damaged or merely unusual, wrong keys must not be registered, nor right ones silently dropped.
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
    #expect(found.last?.bad?.reason.description.contains("nothing after it") == true)
    #expect(found.last?.bad?.reason.description.contains("\(cut.read)") == true)
    #expect(found.last?.bad?.reason.description.contains("\(cut.end - cut.read)") == true)
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

  @Test(arguments: [
    "[{\"tags\":[\"\(c)\"],}  \"id\":\"\(a)\"}]\n", "[{\"tags\":[\"\(c)\"]},\"id\":\"\(a)\"}]\n",
    "[{\"tags\":[\"\(c)\"]}\"id\":\"\(a)\"}]\n", "[{\"tags\":[\"\(c)\"],}id\":\"\(a)\"}]\n",
    "{\"tags\":[\"\(c)\"]},\"id\":\"\(a)\"}\n", "{\"x\":{\"tags\":[\"\(c)\"]}},\"id\":\"\(a)\"}\n",
    "{\"tags\":[\"\(c)\",]}\n", "{\"tags\":[\"\(c)\"],}\n", "{\"tags\":[\"\(c)\"]}}\n", "{\"tags\":[\"\(c)\"]]}\n",
    "{\"id\":\"\(c)\"},\"type\":\"users\"}\n", "{\"id\":\"\(c)\",}type\":\"users\"}\n",
    "{\"data\":{\"id\":\"\(c)\"},\"type\":\"users\"}}\n", "{\"id\":\"\(c)\",\"x\":{}},\"app_key_id\":\"\(a)\"}\n",
    "{\"id\":\"\(c)\"}}\n",
    "[\n {\n[ \"id\": \"\(a)\",\n  \"roles\": [\n   \"\(c)\"\n  ]\n }\n]\n",
    "[\n  {\n    \"tags\": [\n      \"\(c)\"\n    ]},\n    \"id\": \"\(a)\"\n  }\n]\n",
  ])
  func a_brace_or_a_comma_too_many_makes_no_key_of_what_stands_inside(list: String) throws {
    var reader = KeyListReader(bytes: list.utf8)
    let found = try reader.all()
    #expect(found.compactMap(\.key).isEmpty && !found.isEmpty, "\(found.map(\.shown))")
    // On its own line it costs that line.
    if list.hasPrefix("{") {
      #expect(
        try entries("{\"id\":\"\(a)\"}\n\(list){\"id\":\"\(b)\"}\n").filter { !$0.contains("!") } == ["1 a", "3 b"])
    }
  }

  @Test(arguments: [
    "{\"id\":\"\(a)\"},\n{\"id\":\"\(b)\"}\n]\n", "[{\"id\":\"\(a)\"} {\"id\":\"\(b)\"},]\n",
    "[{\"id\":\"\(a)\",\"x\":[1]},,\n \"\(b)\"]\n", "{\"id\":\"\(a)\",\"x\":{}}{\"id\":\"\(b)\"}\n",
  ])
  func what_stands_behind_an_object_is_its_own(list: String) throws {
    var reader = KeyListReader(bytes: list.utf8)
    #expect(try reader.all().compactMap(\.key) == [AppKeyID(a), AppKeyID(b)].compactMap(\.self))
  }

  /// Each byte of a list is removed, replaced, or preceded by another one. The long form tries every byte that has a
  /// meaning in JSON: `KEYREG_ROUNDS=1 swift test --filter DamageTests`.
  @Test(arguments: [
    "[{\"tags\":[\"\(c)\"],\"id\":\"\(a)\"},{\"owner\":{\"id\":\"\(c)\"},\"n\":[[1]],\"app_key_id\":\"\(b)\"}]\n",
    "{\"tags\":[\"\(c)\"],\"id\":\"\(a)\"}\n{\"id\":\"\(c)\",\"x\":{\"y\":[\"\(c)\"]},\"app_key_id\":\"\(b)\"}\n",
    "[\n {\n  \"tags\": [\n   \"\(c)\"\n  ],\n  \"id\": \"\(a)\"\n },\n {\n  \"id\": \"\(b)\"\n }\n]\n",
    "{\"data\":[{\"id\":\"\(a)\",\"r\":{\"data\":{\"id\":\"\(c)\"}}},{\"x\":[\"\(c)\"],\"id\":\"\(b)\"}],\"i\":[{\"id\":\"\(c)\"}]}\n",
    "{\"data\":{\"id\":\"\(a)\",\"type\":\"application_keys\",\"r\":{\"o\":{\"id\":\"\(c)\"}}}}\n{\"id\":\"\(b)\"}\n",
  ])
  func one_byte_of_damage_makes_no_key_of_another_id(list: String) throws {
    let whole = Array(list.utf8)
    let isLong = ProcessInfo.processInfo.environment["KEYREG_ROUNDS"] != nil
    let others = Array((isLong ? "\"{}[],:\\\n #x" : "}],").utf8)
    var strays: [String] = []
    func look(_ damaged: [UInt8]) throws {
      var reader = KeyListReader(bytes: damaged)
      // A file that is no list at all is refused.
      let found = (try? reader.all()) ?? []
      guard found.contains(where: { $0.key == AppKeyID(c) }), !isJSON(damaged) else { return }
      strays.append(String(decoding: damaged, as: UTF8.self))
    }
    for place in whole.indices {
      var damaged = whole
      damaged.remove(at: place)
      try look(damaged)
      for other in others {
        damaged = whole
        damaged[place] = other
        try look(damaged)
        damaged = whole
        damaged.insert(other, at: place)
        try look(damaged)
      }
    }
    #expect(strays.count == 0, "\(strays.count) of them: \(strays.prefix(8).joined())")
  }

  /// Still JSON, or lines of JSON, but with another meaning: no reader can tell.
  private func isJSON(_ list: [UInt8]) -> Bool {
    if (try? JSONSerialization.jsonObject(with: Data(list))) != nil { return true }
    return list.split(separator: UInt8(ascii: "\n")).allSatisfy {
      (try? JSONSerialization.jsonObject(with: Data($0), options: .fragmentsAllowed)) != nil
    }
  }
}
