// Lists in header fields: members separated by commas, each with parameters after semicolons.

/// One member of a structured list: `"default";q=100;w=60`, `100;w=60` or `limit=100`.
struct FieldMember {
  var item: Substring
  var parameters: [(name: Substring, value: Substring)]

  func number(_ name: String) -> Double? {
    parameters.first { FieldText.same($0.name.utf8, name.utf8) }.flatMap { FieldText.number($0.value.utf8) }
  }

  /// The members of a field. Quoted names contain no comma or semicolon in any form seen; one that does reads as
  /// garbage and is dropped if its numbers do not parse.
  static func list(_ field: String) -> [FieldMember] {
    field.split(separator: ",").map { member in
      let parts = member.split(separator: ";").map(FieldText.trimmed)
      return FieldMember(
        item: parts.first.map { Substring($0.filter { $0 != "\"" }) } ?? "",
        parameters: parts.dropFirst().map { part in
          let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
          return (FieldText.trimmed(pair[0]), pair.count > 1 ? FieldText.trimmed(pair[1]) : "")
        })
    }
  }
}

/// `X-RateLimit-Limit: 100, 100;w=10`: the limit, followed by its policies, as in the first drafts of the IETF's
/// fields. Several gateways still send it under the older name.
struct LimitList {
  var limit: Double
  /// Seconds of the window, if a policy names it.
  var period: Double?

  /// Nil for anything but a number or a number and its policies: two bare numbers contradict each other.
  init?(_ text: String) {
    if let limit = FieldText.number(text.utf8) {
      self.limit = limit
      return
    }
    let members = FieldMember.list(text)
    guard let first = members.first, let limit = FieldText.number(first.item.utf8),
      members.dropFirst().allSatisfy({ $0.number("w") != nil })
    else { return nil }
    self.limit = limit
    // Of several policies, the one with this limit is meant.
    let policies = members.filter { $0.number("w") != nil }
    period = (policies.first { FieldText.number($0.item.utf8) == limit } ?? policies.first)?.number("w")
  }
}
