import KeyList
import Testing

private let notAnID = "not a UUID (8-4-4-4-12 hexadecimal)"
private let noID = "an object without \"id\" or \"app_key_id\""

/// A page as the API answers it, also with ids inside that are not key ids.
private func page(_ ids: String...) -> String {
  let items = ids.map { id in
    """
        {
          "type": "application_keys",
          "relationships": {"owned_by": {"data": {"id": "\(c)", "type": "users"}}, "list": [{"id": "\(c)"}]},
          "attributes": {"name": "n \\"x\\" }]", "id": "\(c)"},
          "id": "\(id)"
        }
    """
  }
  return """
    {
      "meta": {"page": {"total_filtered_count": \(ids.count)}, "id": "\(c)"},
      "included": [{"id": "\(c)", "type": "users"}],
      "data": [
    \(items.joined(separator: ",\n"))
      ]
    }

    """
}

struct KeyListJSONTests {
  @Test(arguments: [
    (#"["\#(a)","\#(b)"]"#, ["1 a", "1 b"]),
    ("[\n  \"\(a)\",\n  \"\(b)\"\n]\n", ["2 a", "3 b"]),
    (#"{"id":"\#(a)"}"# + "\n" + #"{"app_key_id":"\#(b)","id":"x"}"#, ["1 a", "2 b"]),
    (#"{"id":"x","app_key_id":"\#(b)"}"#, ["1 b"]),
    (#"{"app_key_id":null,"id":"\#(b)"}"#, ["1 b"]),
    (#"[{"id":"\#(a)","name":"x"},"\#(b)"]"#, ["1 a", "1 b"]),
    (#"{"data":{"id":"\#(a)","type":"application_keys"}}"#, ["1 a"]),
    (#"{"data":[{"id":"\#(a)"}],"id":"\#(b)"}"#, ["1 a"]),
    (#"{"id":"\#(b)","data":[{"id":"\#(a)"}]}"#, ["1 a"]),
    (#"{"id":"\#(b)","data":{"name":"x"}}"#, ["1 b"]),
    (#"[{"data":[{"id":"\#(a)"}]},{"data":["\#(b)"]}]"#, ["1 a", "1 b"]),
    (#"["\#(a)"]["\#(b)"]"#, ["1 a", "1 b"]),
    (#"{"data":[],"meta":{}}"#, []),
    ("[]", []),
    ("[\"\(a)\" \"\(b)\",]", ["1 a", "1 b"]),
    ("\u{feff}[\"\(a)\"]\n\u{feff}[\"\(b)\"]", ["1 a", "2 b"]),
    ("# exported\n{\"id\":\"\(a)\"},\n# more\n{\"id\":\"\(b)\"}\n", ["2 a", "4 b"]),
    ("{\"\\u0069d\":\"\\u0030\(a.dropFirst())\"}", ["1 a"]),
    ("[\r\"\(a)\",\r\"\(b)\"]", ["2 a", "3 b"]),
    ("nonsense\n{\"id\":\"\(a)\"}", ["1! nonsense | broken JSON: a value cannot begin like this", "2 a"]),
  ])
  func json_in_every_form_is_read(list: String, expected: [String]) throws {
    #expect(try entries(list) == expected)
  }

  @Test func answers_of_the_api_are_read_and_ids_inside_do_not_count() throws {
    #expect(try entries(page(a, b)) == ["9 a", "15 b"])
    #expect(try entries(page(a) + page(b)).map { $0.suffix(1) } == ["a", "b"])
    #expect(try entries("[\(page(a)),\(page(b))]").map { $0.suffix(1) } == ["a", "b"])
  }

  @Test(arguments: [
    ("null", "2! null | a number, true, false or null instead of a key id"),
    ("17", "2! 17 | a number, true, false or null instead of a key id"),
    ("\"nope\"", "2! nope | \(notAnID)"),
    ("\"\"", "2!  | \(notAnID): the string is empty"),
    ("{\"name\": \"x\"}", "2! {…} | \(noID)"),
    ("{\"id\": 5}", "2! 5 | a number, true, false or null instead of a key id"),
    ("{\"id\": {\"id\": \"\(c)\"}}", "2! {…} | an object instead of a key id"),
    ("\(c)", "2! \(c) | broken JSON: a key id must be in double quotes"),
    ("\"\(c)", "2! \(c), | broken JSON: a quote is not closed on its line"),
  ])
  func a_bad_element_of_an_array_stops_nothing(element: String, expected: String) throws {
    #expect(try entries("[\"\(a)\",\n\(element),\n\"\(b)\"]") == ["1 a", expected, "3 b"])
  }

  @Test(arguments: [
    ("{\"id\":\"\(c)\"", "2! {… | broken JSON: the value is not closed before the next line"),
    ("{\"id\":\"\(c)", "2! \"\(c) | broken JSON: a member has no value"),
    ("{\"id\":", "2! {… | broken JSON: the value is not closed before the next line"),
    ("{\"id\":\"\(c)\",\"x\":{\"y\":[", "2! {… | broken JSON: the value is not closed before the next line"),
    ("{\"id\" \"\(c)\"}", "2! \"\(c)\"} | broken JSON: a colon is missing"),
    ("{id: \"\(c)\"}", "2! id: \"\(c)\"} | broken JSON: the name of a member or a closing brace is missing"),
    ("}", "2! } | broken JSON: a value cannot begin like this"),
    ("garbage and more", "2! garbage and more | broken JSON: a value cannot begin like this"),
  ])
  func a_broken_line_of_json_lines_stops_nothing(line: String, expected: String) throws {
    let list = "{\"id\":\"\(a)\"}\n\(line)\n{\"id\":\"\(b)\"}\n{\"id\":\"\(c)\"}\n"
    #expect(try entries(list) == ["1 a", expected, "3 b", "4 c"])
  }

  @Test(arguments: ["{\"id\":", "{\"id\":\"\(c)\"", "{\"id\":\"\(c)\",\"x\":[],"])
  func a_first_line_that_is_cut_off_stops_nothing(line: String) throws {
    let found = try entries("\(line)\n{\"id\":\"\(b)\"}\n")
    #expect(found == ["1! {… | broken JSON: the value is not closed before the next line", "2 b"])
  }

  @Test(arguments: [
    ("[\"\(a)\",\n\"\(b)\"", 2), ("[\"\(a)\",\n\"\(b)\",\n\"0000", 3), ("[\"\(a)\",\n\"\(b)\",\n{\"id\":\"\(c)\"", 3),
    ("{\"data\":[{\"id\":\"\(a)\"},\n{\"id\":\"\(b)\"},\n{\"id\"", 3),
  ])
  func a_list_that_is_cut_off_keeps_what_was_before(list: String, line: Int) throws {
    var reader = KeyListReader(bytes: list.utf8)
    let found = try reader.all()
    #expect(found.prefix(2).map(\.shown) == ["1 a", "2 b"])
    #expect(found.count == 3)
    #expect(found.last?.bad?.line == line)
    #expect(
      found.last?.bad?.reason.description.hasPrefix("broken JSON: the list ends before the value that begins on line")
        == true)
  }

  @Test func objects_of_another_kind_are_no_keys_line_by_line_either() throws {
    #expect(
      try entries("{\"users\":[\n{\"id\":\"\(a)\"},\n{\"id\":\"\(b)\"}\n]}\n") == [
        "1! {…} | the ids in \"users\" are not those of application keys; if they are, name them app_key_ids"
      ])
  }

  @Test func broken_json_in_a_page_ends_the_list_and_keeps_what_was_before() throws {
    let broken = page(a, b).replacing("\"id\": \"\(b)\"", with: "\"id\" \"\(b)\"")
    let list = broken + page(c)
    let found = try entries(list)
    let read = try #require(list.firstRange(of: b)).upperBound.utf16Offset(in: list) + 1
    #expect(
      found == [
        "9 a",
        "15! \"\(b)\" | broken JSON: a colon is missing; nothing after it was read: "
          + "read to byte \(read) of \(list.utf8.count)",
      ])
  }

  @Test(arguments: [#"{"x":{"y":1],"id":"\#(a)"}"#, #"{"x":[1},"id":"\#(a)"}"#])
  func brackets_that_do_not_match_let_no_id_out(line: String) throws {
    let found = try entries(line + "\n{\"id\":\"\(b)\"}")
    #expect(found.count == 2)
    #expect(found.first?.hasSuffix("broken JSON: brackets and braces do not match") == true)
    #expect(found.last == "2 b")
  }

  @Test func an_error_of_the_api_is_told_from_a_list() throws {
    #expect(try entries(#"{"errors":["Forbidden"]}"#) == ["1! {…} | an API error instead of keys"])
  }

  @Test(arguments: ["[", "{\"a\":", "{\"data\":[{\"x\":", "[{\"id\":"])
  func nesting_without_end_costs_no_memory_and_no_stack(unit: String) throws {
    var reader = KeyListReader(RepeatedSource(unit, times: 100_000))
    let found = try reader.all()
    #expect(found.last?.bad?.reason.description.hasPrefix("broken JSON: the list ends before") == true)
    #expect(found.count <= 2)
  }

  @Test func a_string_without_end_is_bad_and_costs_no_memory() throws {
    let long = String(repeating: "\\u0041x", count: 100_000)
    let found = try entries("[\"\(a)\",\"\(long)\",{\"\(long)\":1,\"id\":\"\(b)\"}]")
    #expect(found.count == 3)
    #expect(found[1].hasPrefix("1! AxAx"))
    #expect(found[2] == "1 b")
  }

  @Test(arguments: ["{x}", "[section]", "]"])
  func brackets_around_what_json_does_not_allow_do_not_make_json(line: String) throws {
    let found = try entries("\(line)\n\(b)\n")
    #expect(found.count == 2)
    #expect(found.first?.hasPrefix("1! \(line)") == true)
    #expect(found.last == "2 b")
  }
}
