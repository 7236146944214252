package import Foundation

/// An OpenAPI document, and whether an answer matches it. Supports only the JSON Schema that the document uses.
package struct APIDescription {
  private let document: [String: Any]

  package init(_ bytes: Data) throws {
    document = try JSONSerialization.jsonObject(with: bytes) as? [String: Any] ?? [:]
  }

  /// Every path with its methods, in capital letters.
  package var operations: [(method: String, path: String)] {
    (document["paths"] as? [String: [String: Any]] ?? [:]).flatMap { path, methods in
      methods.keys.map { ($0.uppercased(), path) }
    }
  }

  /// How an answer differs from the description; empty if not.
  ///
  /// - Parameter path: With the names of its parameters: `/v1/lists/{name}`.
  package func flaws(_ method: String, _ path: String, status: Int, contentType: String, body: String) -> [String] {
    guard let operation = part(["paths", path, method.lowercased()]) else { return ["\(method) \(path) is unknown"] }
    let answers = operation["responses"] as? [String: [String: Any]] ?? [:]
    guard let answer = answers[String(status)] ?? (status >= 400 ? answers["default"] : nil) else {
      return ["the status \(status) is unknown"]
    }
    let type = contentType.prefix { $0 != ";" }
    guard let content = (answer["content"] as? [String: [String: Any]])?[String(type)] else {
      return ["the type \(contentType) is unknown"]
    }
    guard type == "application/json" else { return [] }
    guard let value = try? JSONSerialization.jsonObject(with: Data(body.utf8), options: .fragmentsAllowed) else {
      return ["it is no JSON"]
    }
    return flaws(of: value, content["schema"] as? [String: Any] ?? [:], at: "")
  }

  private func part(_ names: [String]) -> [String: Any]? {
    names.reduce(document) { part, name in part?[name] as? [String: Any] }
  }

  private func flaws(of value: Any, _ schema: [String: Any], at place: String) -> [String] {
    if let name = schema["$ref"] as? String {
      guard let named = part(name.split(separator: "/").dropFirst().map(String.init)) else { return ["no \(name)"] }
      return flaws(of: value, named, at: place)
    }
    if let choices = schema["oneOf"] as? [[String: Any]] {
      let fitting = choices.count { flaws(of: value, $0, at: place).isEmpty }
      return fitting == 1 ? [] : ["\(place): \(value) fits \(fitting) of the choices"]
    }
    let type = Self.type(of: value)
    let types = schema["type"] as? [String] ?? (schema["type"] as? String).map { [$0] } ?? []
    guard types.isEmpty || types.contains(type) || type == "integer" && types.contains("number") else {
      return ["\(place): \(value) is \(type), not \(types)"]
    }
    if let words = schema["enum"] as? [Any], !words.contains(where: { "\($0)" == "\(value)" }) {
      return ["\(place): \(value) is none of \(words)"]
    }
    if let least = schema["minimum"] as? Double, let number = value as? Double, number < least {
      return ["\(place): \(value) is less than \(least)"]
    }
    if let items = value as? [Any] {
      let schema = schema["items"] as? [String: Any] ?? [:]
      return items.enumerated().flatMap { flaws(of: $1, schema, at: "\(place)[\($0)]") }
    }
    guard let members = value as? [String: Any], let known = schema["properties"] as? [String: [String: Any]] else {
      return []
    }
    let missing = (schema["required"] as? [String] ?? []).filter { members[$0] == nil }
    return missing.map { "\(place).\($0) is missing" }
      + members.flatMap { name, member in
        known[name].map { flaws(of: member, $0, at: "\(place).\(name)") } ?? ["\(place).\(name) is unknown"]
      }
  }

  private static func type(of value: Any) -> String {
    switch value {
    case is NSNull: "null"
    case is String: "string"
    case is [Any]: "array"
    case is [String: Any]: "object"
    case let number as NSNumber:
      switch (String(cString: number.objCType), number.doubleValue) {
      case ("c", _): "boolean"
      case (_, let value): value == value.rounded() ? "integer" : "number"
      }
    default: "unknown"
    }
  }
}
