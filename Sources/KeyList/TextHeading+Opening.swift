/// What a line opens, in which the following ones are.
extension TextHeading {
  /// How Terraform begins a list in its output.
  static let functions = ["tolist(", "toset(", "tomap("]
  /// How Go begins a list.
  static let slice = "[]"

  /// The brackets that close those left open at the end of `text`, as in `[]string{` or `new Set([`. Nil when it does not
  /// end in an opening one, or has ids.
  private static func opened(by text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.count <= longestName, let last = text.last, "[({".utf8.contains(last), !KeyIDText.holdsID(text) else {
      return nil
    }
    var closing: [UInt8] = []
    for byte in text {
      switch byte {
      case UInt8(ascii: "["): closing.append(UInt8(ascii: "]"))
      case UInt8(ascii: "("): closing.append(UInt8(ascii: ")"))
      case UInt8(ascii: "{"): closing.append(UInt8(ascii: "}"))
      case UInt8(ascii: "]"), UInt8(ascii: ")"), UInt8(ascii: "}"): guard closing.popLast() == byte else { return nil }
      default: break
      }
    }
    return closing.reversed()
  }

  static func closing(_ all: ArraySlice<UInt8>) -> [UInt8]? {
    if let text = OpenedText.closing(all) { return text }
    var rest = all
    var closing: [UInt8] = []
    while let first = rest.first {
      switch first {
      case UInt8(ascii: "["): closing.append(UInt8(ascii: "]"))
      case UInt8(ascii: "("): closing.append(UInt8(ascii: ")"))
      case UInt8(ascii: "{"): closing.append(UInt8(ascii: "}"))
      case UInt8(ascii: "@"), UInt8(ascii: " "): break
      case UInt8(ascii: "#"): return closing.reversed()
      default:
        if !closing.isEmpty, rest.starts(with: "//".utf8) || rest.starts(with: "/*".utf8) { return closing.reversed() }
        guard let function = functions.first(where: { rest.starts(with: $0.utf8) }) else { return opened(by: all) }
        rest = rest.dropFirst(function.utf8.count - 1)
        continue
      }
      rest = rest.dropFirst()
    }
    return closing.reversed()
  }

  /// What the line `name {`, `name "label" {` or `resource "datadog_user" "jane" {` of Terraform is about. Nil for any other
  /// line.
  static func block(_ text: ArraySlice<UInt8>) -> (name: ArraySlice<UInt8>, meaning: IDName.Meaning)? {
    guard text.last == UInt8(ascii: "{"), text.count <= 200 else { return nil }
    let words = text.dropLast().split(whereSeparator: Edges.isSpace)
    let labels = words.dropFirst().map { $0.dropFirst().dropLast() }
    guard let word = words.first, word.allSatisfy(isWordByte),
      words.dropFirst().allSatisfy({ $0.count > 2 && $0.first == UInt8(ascii: "\"") && $0.last == UInt8(ascii: "\"") })
    else { return nil }
    let kind = String(decoding: word, as: UTF8.self)
    if let type = labels.first, ["resource", "data"].contains(kind) {
      return (type, JSONType(Array(type)).otherThing == nil ? .keys : .other)
    }
    if let label = labels.last, ["variable", "output", "module"].contains(kind) {
      return (label, meaning(of: Array(label)))
    }
    return (word, meaning(of: Array(word)))
  }

  /// The name of the XML element that `text` opens, and what closes it. Nil when there is anything else.
  static func element(_ text: ArraySlice<UInt8>) -> (name: ArraySlice<UInt8>, closing: [UInt8])? {
    guard text.count <= 200, text.first == UInt8(ascii: "<"), text.last == UInt8(ascii: ">") else { return nil }
    let name = text.dropFirst().prefix(while: isWordByte)
    let rest = text[name.endIndex...].dropLast()
    guard !name.isEmpty, rest.isEmpty || Edges.isSpace(rest[rest.startIndex]), rest.last != UInt8(ascii: "/"),
      !rest.contains(where: "<>".utf8.contains), !KeyIDText.holdsID(rest)
    else { return nil }
    return (name, Array("</".utf8) + name + Array(">".utf8))
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "_-".utf8.contains(byte)
  }
}
