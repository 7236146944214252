// The header fields of a reply by name. A field may come more than once; a list may also be split over several fields, so
// the values are kept apart and joined as RFC 9110 (section 5.3) has it.

struct Fields {
  private var values: [String: [String]] = [:]

  /// Longer names and values mean nothing here and are dropped.
  private static let longestName = 32
  private static let longestValue = 1_024

  init(_ headers: some Sequence<(name: String, value: String)>) {
    for (name, value) in headers where name.utf8.count <= Self.longestName && value.utf8.count <= Self.longestValue {
      values[name.lowercased(), default: []].append(String(FieldText.trimmed(value[...])))
    }
  }

  /// Every value of a field, by its name in lower case, in order.
  func values(of name: String) -> [String] { values[name] ?? [] }

  /// The values as one list, nil when there is none. The same value said twice is said once; two that differ make a list
  /// that is no number, so that a field that contradicts itself says nothing.
  func joined(_ name: String) -> String? {
    guard let all = values[name], let first = all.first else { return nil }
    return all.allSatisfy { $0 == first } ? first : all.joined(separator: ", ")
  }
}
