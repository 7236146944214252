import Registration
import Yams

/// The YAML form of the settings. Every error names file, line and column.
struct SettingsFile {
  let path: String

  func apply(_ text: String, to loaded: inout LoadedSettings) throws(SettingsError) {
    let root: Node?
    // A byte-order mark is not part of the first line.
    let text = text.hasPrefix("\u{feff}") ? String(text.unicodeScalars.dropFirst()) : text
    try refuseNul(text)
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      throw unreadable(error, in: text)
    }
    guard let root else { return }
    if case .scalar(let scalar) = root, scalar.string.isEmpty { return }
    guard case .mapping(let mapping) = root else {
      throw SettingsError("\(place(root)): the configuration is not a mapping of names to values")
    }
    try apply(mapping, under: "", to: &loaded)
  }

  private func apply(_ mapping: Node.Mapping, under prefix: String, to loaded: inout LoadedSettings)
    throws(SettingsError)
  {
    for (nameNode, value) in mapping {
      let name = prefix + (nameNode.scalar?.string ?? "")
      if SettingKey.all.contains(where: { $0.name.hasPrefix(name + ".") }) {
        try section(value, named: name, to: &loaded)
      } else if let key = SettingKey.named(name) {
        try take(value, for: key, to: &loaded)
      } else {
        let known = SettingKey.all.map(\.name).filter { $0.hasPrefix(prefix) }
        throw SettingsError(
          "\(place(nameNode)): unknown setting “\(PrintableText.escape(name, limit: 80))”",
          hint: "known settings here: \(known.joined(separator: ", "))")
      }
    }
  }

  private func section(_ value: Node, named name: String, to loaded: inout LoadedSettings) throws(SettingsError) {
    switch value {
    case .mapping(let mapping): try apply(mapping, under: name + ".", to: &loaded)
    case .scalar(let scalar) where Self.isNull(scalar): return
    default: throw SettingsError("\(place(value)): \(name) is a section: its settings go indented below it")
    }
  }

  private func take(_ value: Node, for key: SettingKey, to loaded: inout LoadedSettings) throws(SettingsError) {
    guard case .scalar(let scalar) = value else {
      throw SettingsError("\(place(value)): \(key.name) takes a single value", hint: "allowed: \(key.allowed)")
    }
    if key.isNumber, scalar.style != .plain, scalar.style != .any {
      throw SettingsError(
        "\(place(value)): \(key.name) is a number: write it without quotes", hint: "allowed: \(key.allowed)")
    }
    try loaded.take(
      Self.isNull(scalar) ? nil : scalar.string, for: key, from: .file(place(value)), at: place(value))
  }

  private static func isNull(_ scalar: Node.Scalar) -> Bool {
    (scalar.style == .plain || scalar.style == .any) && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  private func place(_ node: Node) -> String {
    node.mark.map { "\(path):\($0.line):\($0.column)" } ?? path
  }

  /// The parser takes a NUL for the end of the file, and would ignore the rest.
  private func refuseNul(_ text: String) throws(SettingsError) {
    guard let place = text.utf8.firstIndex(of: 0) else { return }
    let before = text[..<place]
    let line = Self.lines(of: before)
    throw SettingsError(
      "\(path):\(line.count):\((line.last?.count ?? 0) + 1): a NUL is not allowed", hint: "save the file as UTF-8")
  }

  /// The lines as the parser counts them: form feeds and vertical tabs, which Swift takes for newlines, do not end one.
  private static func lines(of text: Substring) -> [Substring] {
    text.split(omittingEmptySubsequences: false) { $0.isNewline && $0 != "\u{b}" && $0 != "\u{c}" }
  }

  /// The place where the setting `name` is repeated that is first at `mark`: nil if it cannot be found.
  private static func repetition(of name: String, after mark: Mark, in text: String) -> (line: Int, column: Int)? {
    func isSetting(_ text: Substring) -> Bool {
      let name = ["", "\"", "'"].map { $0 + name + $0 }.first(where: text.hasPrefix)
      return name.map { text.dropFirst($0.count).first { $0 != " " } == ":" } ?? false
    }
    let lines = lines(of: text[...])
    guard lines.indices.contains(mark.line - 1) else { return nil }
    // `{ level: info, level: debug }`
    let line = lines[mark.line - 1]
    let next = line.indices.dropFirst(mark.column).first {
      isSetting(line[$0...]) && " ,{".contains(line[line.index(before: $0)])
    }
    if let next { return (mark.line, line.distance(from: line.startIndex, to: next) + 1) }
    let place = lines.indices.dropFirst(mark.line).first { index in
      lines[index].prefix { $0 == " " }.count == mark.column - 1 && isSetting(lines[index].drop { $0 == " " })
    }
    return place.map { ($0 + 1, mark.column) }
  }

  private func unreadable(_ error: any Error, in text: String) -> SettingsError {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return SettingsError("\(path):\(mark.line):\(mark.column): not valid YAML: \(problem)")
    case .duplicatedKeysInMapping(let names, let context):
      let second = names.first.flatMap { Self.repetition(of: $0, after: context.mark, in: text) }
      let (line, column) = second ?? (context.mark.line, context.mark.column)
      let shown = names.map { PrintableText.escape($0, limit: 80) }.joined(separator: ", ")
      return SettingsError("\(path):\(line):\(column): a setting appears twice: \(shown)")
    default:
      return SettingsError("\(path): not valid YAML: \(PrintableText.escape("\(error)"))")
    }
  }
}
