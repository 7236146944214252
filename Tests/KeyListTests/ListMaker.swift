import Registration

/// Makes lists from a seed, tidy or damaged, in forms that are harder than those of `PropertyTests`.
enum ListMaker {
  enum Form: CaseIterable {
    case text, wordsBeside, severalOnALine, csv, jsonLines, array, prettyArray, answer, outputs, carriageReturns
  }

  static func list(_ form: Form, isDamaged: Bool, with random: inout SplitMix64) -> [UInt8] {
    let ids = (0..<Int.random(in: 1...12, using: &random)).map { _ in random.id().description }
    var list = Array(text(form, ids, with: &random).utf8)
    guard isDamaged else { return list }
    for _ in 0..<Int.random(in: 1...3, using: &random) where list.count > 2 {
      let position = Int.random(in: 0..<list.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: list[position] = UInt8.random(in: 0...255, using: &random)
      case 1: list.remove(at: position)
      case 2: list.insert(Array("\"{}[],:\\\n\r#; ".utf8).randomElement(using: &random) ?? 0, at: position)
      default: list.removeSubrange(position..<min(list.count, position + Int.random(in: 1...40, using: &random)))
      }
    }
    return list
  }

  private static func text(_ form: Form, _ ids: [String], with random: inout SplitMix64) -> String {
    switch form {
    case .text: return ids.map { Bool.random(using: &random) ? "\($0)\n" : "- \"\($0)\",\r\n# x\n" }.joined()
    case .wordsBeside: return ids.map { "\($0) \(word(with: &random)) x\n" }.joined()
    case .severalOnALine: return ids.map { $0 + (Bool.random(using: &random) ? ", " : "\n") }.joined() + "\n"
    case .csv:
      let rows = ids.map { "\(field(with: &random)),\($0),\(field(with: &random))\r\n" }
      return "# head\n\"name, \"\"x\"\"\",Key ID,note\n" + rows.joined()
    case .jsonLines: return ids.map { "{\"name\":\"\(word(with: &random))\",\"id\":\"\($0)\",\"x\":[1,{}]}\n" }.joined()
    case .array: return "[" + ids.map { "\"\($0)\"" }.joined(separator: ",") + "]\n"
    case .prettyArray: return "[\n" + ids.map { "  {\n    \"id\": \"\($0)\"\n  }" }.joined(separator: ",\n") + "\n]\n"
    case .answer:
      return "{\"data\":[" + ids.map { "{\"type\":\"application_keys\",\"id\":\"\($0)\"}" }.joined(separator: ",\n")
        + "]}\n"
    case .outputs:
      return "{\"key_ids\":{\"type\":[\"string\"],\"value\":[" + ids.map { "\"\($0)\"" }.joined(separator: ",")
        + "]}}\n"
    case .carriageReturns: return ids.joined(separator: "\r") + (Bool.random(using: &random) ? "\r" : "\n")
    }
  }

  /// A field of CSV, quoted where it has to be.
  private static func field(with random: inout SplitMix64) -> String {
    ["", "x", "#infra", "\"Doe, Jane\"", "\"a \"\"b\"\"\"", "\"two\nlines\"", " y "].randomElement(using: &random) ?? ""
  }

  private static func word(with random: inout SplitMix64) -> String {
    ["ci", "lint", "deploy", "é"].randomElement(using: &random) ?? ""
  }
}
