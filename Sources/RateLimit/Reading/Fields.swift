// The header fields of a reply by name. A field may come more than once, and a list may be split over several fields,
// so values are kept apart and joined as in RFC 9110 (section 5.3).

struct Fields {
  /// The fields that are read; a reply has many others.
  static let known = [
    "date", "retry-after", "x-ratelimit-limit", "x-ratelimit-period", "x-ratelimit-remaining", "x-ratelimit-reset",
    "x-ratelimit-name", "ratelimit", "ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset",
  ]
  /// Longer values mean nothing here and are dropped.
  private static let longestValue = 1_024

  private var fields: [(name: String, value: String)] = []

  init(_ headers: [(name: String, value: String)]) {
    for (name, value) in headers where value.utf8.count <= Self.longestValue {
      guard let name = Self.known.first(where: { FieldText.same($0, name) }) else { continue }
      fields.append((name, String(FieldText.trimmed(value[...]))))
    }
  }

  /// Every value of a field, by its name in lower case, in order.
  func values(of name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

  /// The values as one list, nil when there is none. A repeated value counts once. Two different values make a list
  /// that is not a number, so that a field that contradicts itself says nothing.
  func joined(_ name: String) -> String? {
    guard let first = fields.first(where: { $0.name == name })?.value else { return nil }
    let isSaidOnce = fields.allSatisfy { $0.name != name || $0.value == first }
    return isSaidOnce ? first : values(of: name).joined(separator: ", ")
  }
}
