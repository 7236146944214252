// `X-RateLimit-Limit: 100, 100;w=10`: the limit, and behind it the policies it comes from, as the first drafts of the IETF's
// fields had it and several gateways still send it under the older name.

struct LimitList {
  var limit: Double
  /// Seconds of the window, where a policy tells it.
  var period: Double?

  /// Nil for what is neither a number nor a number and its policies: two bare numbers contradict each other.
  init?(_ text: String) {
    let members = FieldMember.list(text)
    guard let first = members.first, let limit = FieldText.number(first.item.utf8),
      members.dropFirst().allSatisfy({ $0.number("w") != nil })
    else { return nil }
    self.limit = limit
    // Of several policies the one that has this limit is meant.
    let policies = members.filter { $0.number("w") != nil }
    period = (policies.first { FieldText.number($0.item.utf8) == limit } ?? policies.first)?.number("w")
  }
}
