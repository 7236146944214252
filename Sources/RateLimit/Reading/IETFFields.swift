// The IETF's fields for the same numbers (draft-ietf-httpapi-ratelimit-headers), which a gateway in front of the API
// may send. Three forms are in use: separate `RateLimit-Limit/-Remaining/-Reset` (drafts 00–06, "100, 100;w=60"), one
// `RateLimit: limit=100, remaining=50, reset=30` (draft 07), and `RateLimit: "default";r=50;t=30` with
// `RateLimit-Policy: "default";q=100;w=60` (from draft 08).

/// What the three forms say, as one.
struct IETFFields {
  private(set) var name: String?
  private(set) var limit: Double?
  private(set) var period: Double?
  private(set) var remaining: Double?
  private(set) var reset: Double?

  /// - Parameter field: The value of a field by its lower-case name.
  init(_ field: (String) -> String?) {
    let policies = field("ratelimit-policy").map(FieldMember.list) ?? []
    if let members = field("ratelimit").map(FieldMember.list) {
      readDictionary(members)
      readStructured(members, policies)
    }
    if let limits = field("ratelimit-limit").map(FieldMember.list), let first = limits.first {
      limit = limit ?? FieldText.number(first.item.utf8)
      period = period ?? limits.lazy.compactMap { $0.number("w") }.first
    }
    remaining = remaining ?? field("ratelimit-remaining").flatMap { FieldText.number($0.utf8) }
    reset = reset ?? field("ratelimit-reset").flatMap { FieldText.number($0.utf8) }
    // Without a name, the policy that fits the limit is meant, or the only one.
    let policy =
      policies.first { limit != nil && FieldText.number($0.item.utf8) == limit }
      ?? (policies.count == 1 ? policies[0] : nil)
    period = period ?? policy?.number("w")
    limit = limit ?? policy?.number("q") ?? policy.flatMap { FieldText.number($0.item.utf8) }
  }

  /// Draft 07: `limit=100, remaining=50, reset=30`.
  private mutating func readDictionary(_ members: [FieldMember]) {
    for member in members {
      let pair = member.item.split(separator: "=", maxSplits: 1).map(FieldText.trimmed)
      guard pair.count == 2, let value = FieldText.number(pair[1].utf8) else { continue }
      switch pair[0] {
      case "limit": limit = value
      case "remaining": remaining = value
      case "reset": reset = value
      default: continue
      }
    }
  }

  /// From draft 08. Of several limits in one reply, the one with the least left is read: it will refuse first.
  private mutating func readStructured(_ members: [FieldMember], _ policies: [FieldMember]) {
    let stated = members.compactMap { member in member.number("r").map { (member, $0) } }
    guard let (member, left) = stated.min(by: { $0.1 < $1.1 }) else { return }
    remaining = left
    reset = member.number("t")
    name = member.item.isEmpty ? nil : String(member.item)
    let policy = policies.first { $0.item == member.item }
    limit = policy?.number("q")
    period = policy?.number("w")
  }
}
