import Registration
import Yams

/// The YAML form of the settings. Every error names file, line and column.
struct SettingsFile {
  let path: String

  func apply(_ text: String, to loaded: inout LoadedSettings) throws(SettingsError) {
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      throw unreadable(error)
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
      Self.isNull(scalar) ? nil : scalar.string, for: key, from: place(value), at: place(value))
  }

  private static func isNull(_ scalar: Node.Scalar) -> Bool {
    (scalar.style == .plain || scalar.style == .any) && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  private func place(_ node: Node) -> String {
    node.mark.map { "\(path):\($0.line):\($0.column)" } ?? path
  }

  private func unreadable(_ error: any Error) -> SettingsError {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return SettingsError("\(path):\(mark.line):\(mark.column): not valid YAML: \(problem)")
    case .duplicatedKeysInMapping(let names, let context):
      return SettingsError(
        "\(path):\(context.mark.line):\(context.mark.column): a setting appears twice: \(names.map { "\($0)" }.joined(separator: ", "))"
      )
    default:
      return SettingsError("\(path): not valid YAML: \(PrintableText.escape("\(error)"))")
    }
  }
}
