/// Refusals of keys in the API's own word (400, 404, 409, 410, 422), and whether they are believed.
///
/// Before anything was registered, refusal after refusal in the same words may be the wrong organisation or a new rule of
/// the API: the keys are kept, and the twentieth different one means that it is everybody's trouble, whatever else is said
/// of others in between. A success, or the operator's word, and each is believed at once.
enum Denials: Sendable {
  case believed
  case unproven(Streak)

  struct Streak: Sendable {
    /// What the API said, without the key's id, and the different rows that it said it of.
    var rows: [String: Set<Int64>] = [:]
    /// Those that wait for a verdict.
    var kept: [Charge] = []
  }

  /// So many different keys that were refused in the same words, and no success, are no accident.
  static let suspicious = 20
  /// An API that has more to say than this tells keys apart.
  static let wordings = 4

  /// Keys that wait for a verdict.
  var kept: [Charge] {
    if case .unproven(let streak) = self { streak.kept } else { [] }
  }

  /// Takes in one refusal. Returns the keys whose verdict it settles, and whether every key is refused.
  mutating func note(_ charge: Charge) -> (settled: [Charge], isEverybody: Bool) {
    guard case .unproven(var streak) = self else { return ([charge], false) }
    let words = Self.words(charge.fault.summary)
    var settled: [Charge] = []
    if streak.rows[words] == nil, streak.rows.count >= Self.wordings {
      settled = streak.kept
      streak = Streak()
    }
    streak.rows[words, default: []].insert(charge.job.key.row)
    streak.kept.append(charge)
    self = .unproven(streak)
    return (settled, streak.rows[words, default: []].count >= Self.suspicious)
  }

  /// What a refusal says, without what differs from reply to reply: ids, parts of them, numbers of requests.
  static func words(_ text: String) -> String {
    text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "-" }
      .filter { word in
        !word.contains(where: \.isNumber) && !(word.count >= 6 && word.allSatisfy(\.isHexDigit))
      }
      .joined(separator: " ")
  }

  /// Takes out the keys that wait; those that were seen still count.
  mutating func release() -> [Charge] {
    guard case .unproven(var streak) = self else { return [] }
    defer { self = .unproven(streak) }
    defer { streak.kept = [] }
    return streak.kept
  }

  /// From now on each is believed. Returns the keys that waited.
  mutating func believe() -> [Charge] {
    defer { self = .believed }
    return kept
  }

  /// Nothing was ever registered or refused. Returns the keys that waited.
  mutating func forget() -> [Charge] {
    defer { self = .unproven(Streak()) }
    return kept
  }

  /// A row of refusals was interrupted by everybody's trouble. Returns the keys that waited.
  mutating func interrupt() -> [Charge] {
    if case .believed = self { return [] }
    return forget()
  }
}
