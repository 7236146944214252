import KeyList
import Registration
import Testing

/// What must be true for every list, tried on many lists made from a seed.
struct KeyListPropertyTests {
  /// A way to write ids down.
  enum Form: CaseIterable {
    case text, quotedText, commentedText, csv, wideCSV, jsonLines, jsonArray, prettyArray, answers, prettyAnswers

    func write(_ ids: [AppKeyID], with random: inout SplitMix64) -> String {
      let lineEnd = Bool.random(using: &random) ? "\n" : "\r\n"
      let mark = Int.random(in: 0..<4, using: &random) == 0 ? "\u{feff}" : ""
      let texts = ids.map { Bool.random(using: &random) ? $0.description : $0.description.uppercased() }
      return mark + lines(texts, with: &random).joined(separator: lineEnd) + lineEnd
    }

    private func lines(_ ids: [String], with random: inout SplitMix64) -> [String] {
      switch self {
      case .text: return ids
      case .quotedText: return ids.map { " \"\($0)\"\t" }
      case .commentedText: return ids.flatMap { ["# key", "", "\($0) # \($0)"] }
      case .csv: return ["app_key_id"] + ids
      case .wideCSV:
        return ["name;KEY_ID;owner"] + ids.map { "\"a \"\"name\"\";\($0)\";\($0);\"\"" }
      case .jsonLines:
        return ids.map {
          Bool.random(using: &random) ? "{\"n\":{\"id\":1},\"id\":\"\($0)\"}" : "{\"app_key_id\":\"\($0)\"}"
        }
      case .jsonArray: return ["[" + ids.map { "\"\($0)\"" }.joined(separator: ",") + "]"]
      case .prettyArray: return ["["] + ids.map { "  {\"id\": \"\($0)\"}," } + ["]"]
      case .answers:
        return ids.map { "{\"meta\":{\"id\":\"\($0)\"},\"data\":[{\"id\":\"\($0)\",\"x\":[{\"id\":\"\($0)\"}]}]}" }
      case .prettyAnswers:
        return ids.flatMap {
          ["{", "  \"data\": [", "    {", "      \"id\": \"\($0)\"", "    }", "  ],", "  \"meta\": null", "}"]
        }
      }
    }
  }

  @Test(arguments: Form.allCases)
  func ids_written_in_any_form_are_read_back(form: Form) throws {
    var random = SplitMix64(seed: 7)
    for count in [1, 2, 3, 50, 3000] {
      let ids = (0..<count).map { _ in random.id() }
      var reader = KeyListReader(bytes: form.write(ids, with: &random).utf8)
      let found = try reader.all()
      #expect(found.map(\.key) == ids)
    }
  }

  @Test(arguments: Form.allCases)
  func the_entries_do_not_depend_on_how_the_bytes_arrive(form: Form) throws {
    var random = SplitMix64(seed: 11)
    for round in 0..<13 {
      let ids = (0..<(round < 12 ? 40 : 3000)).map { _ in random.id() }
      var list = Array(form.write(ids, with: &random).utf8)
      Mutation.apply(round, to: &list, with: &random)
      let whole = Outcome(of: KeyListReader(bytes: list))
      for sizes in [[1], [7, 1, 40], [65535, 2], [65536], [262_144, 1], [100_000, 3, 17]] {
        #expect(Outcome(of: KeyListReader(PiecedSource(list, sizes: sizes))) == whole)
      }
    }
  }

  @Test func damaged_lists_neither_hang_nor_invent_keys() {
    var random = SplitMix64(seed: 13)
    for round in 0..<1500 {
      let form = Form.allCases[round % Form.allCases.count]
      let ids = (0..<8).map { _ in random.id() }
      var list = Array(form.write(ids, with: &random).utf8)
      Mutation.apply(1 + round % 6, to: &list, with: &random)
      let outcome = Outcome(of: KeyListReader(bytes: list))
      let lines = list.count { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") } + 1
      for entry in outcome.entries {
        switch entry {
        case .key(let id, let line):
          #expect((1...lines).contains(line))
          #expect(list.contains(id), "round \(round): \(id) is not in the list")
        case .invalid(let bad):
          #expect((1...lines).contains(bad.line))
          #expect(bad.text.count <= 201 * 10)
          #expect(!bad.reason.description.isEmpty)
        }
      }
      #expect(outcome.entries.count <= list.count)
    }
  }

  @Test func a_list_with_one_bad_line_loses_no_other_key() throws {
    var random = SplitMix64(seed: 17)
    let bad = [
      "garbage", "\"", "{", "}", "[", "]", "{\"id\":", "a,b,c,d,e", "\"x\"y", "null", ":", "#", "\0", "\u{fffd}",
    ]
    for form in [Form.text, .csv, .jsonLines] {
      for line in bad {
        let ids = (0..<20).map { _ in random.id() }
        var lines = form.write(ids, with: &random).split(whereSeparator: \.isNewline).map(String.init)
        lines.insert(line, at: Int.random(in: 2..<lines.count, using: &random))
        var reader = KeyListReader(bytes: lines.joined(separator: "\n").utf8)
        let found = try reader.all()
        #expect(found.compactMap(\.key) == ids, "\(form) with \(line)")
      }
    }
  }

  /// Most rows of an id and a name are read without a look at their words. Those that begin with a space are not.
  ///
  /// - Parameter headings: Words that are headings, behind which every row is looked at.
  @Test(arguments: [[], ["users:", "="]])
  func rows_with_a_name_are_read_alike_with_and_without_a_look_at_their_words(headings: [String]) {
    var random = SplitMix64(seed: 23)
    let words =
      [
        "web", "ci_runner", "Team-7", "Müller", "datadog_user", "datadog_user.jane", "datadog:index/user:User",
        "user-id", "user", "x=1", "#", "# gone", "// gone", "a/b", "\"q\"", "(old)", "--", ",", ";", "|", "\t", "[",
        "\u{1b}[0m",
      ] + headings
    // The rows behind it have no part in what the layout is taken for.
    let comment = Array(repeating: "#" + String(repeating: ".", count: 8_000), count: 9)
    var rows = ["\(random.id()) web", "\(random.id()) app"] + comment
    for _ in 0..<300 {
      var row = ["\(random.id())"]
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        let isID = Int.random(in: 0..<8, using: &random) == 0
        row.append(isID ? "\(random.id())" : words.randomElement(using: &random) ?? "")
      }
      if Int.random(in: 0..<8, using: &random) == 0 { row.removeFirst() }
      rows.append(row.joined(separator: Bool.random(using: &random) ? " " : "\t"))
    }
    let close = Outcome(of: KeyListReader(bytes: rows.map { $0 + "\n" }.joined().utf8))
    let apart = Outcome(of: KeyListReader(bytes: rows.map { " " + $0 + "\n" }.joined().utf8))
    #expect(close == apart && close.format == .text(.column(1)))
  }

  /// What a reader returns until it ends or throws.
  private struct Outcome: Equatable {
    var entries: [KeyListEntry] = []
    var format: KeyListFormat?
    var error: KeyListError?

    init(of reader: KeyListReader) {
      var reader = reader
      do throws(KeyListError) {
        while let entry = try reader.next() { entries.append(entry) }
      } catch {
        self.error = error
      }
      format = reader.format
    }
  }
}

/// Ways in which a list is damaged.
private enum Mutation {
  static func apply(_ kind: Int, to list: inout [UInt8], with random: inout SplitMix64) {
    guard kind > 0 else { return }
    for _ in 0..<Int.random(in: 1...4, using: &random) where list.count > 2 {
      let position = Int.random(in: 0..<list.count, using: &random)
      let end = min(list.count, position + Int.random(in: 1...60, using: &random))
      switch kind % 6 {
      case 1: list[position] = UInt8.random(in: 0...255, using: &random)
      case 2: list.removeSubrange(position..<end)
      case 3: list.insert(contentsOf: Array(list[position..<end]), at: Int.random(in: 0..<list.count, using: &random))
      case 4: list.insert(Array("\"{}[],:\\\n\r#;".utf8).randomElement(using: &random) ?? 0, at: position)
      case 5: list.removeSubrange(end..<list.count)
      default: list[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
    }
  }
}

extension [UInt8] {
  /// True when the text of `id` is in these bytes, in either case.
  fileprivate func contains(_ id: AppKeyID) -> Bool {
    let lower = map { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) ? $0 | 0x20 : $0 }
    return String(decoding: lower, as: UTF8.self).contains(id.description)
  }
}
