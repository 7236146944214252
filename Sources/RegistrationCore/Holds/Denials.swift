import RateLimit

/// Refusals of keys by the API itself (400, 404, 409, 410, 422), and whether they are believed.
///
/// Before anything was registered, many refusals with the same message may mean the wrong organisation or a new rule of
/// the API. The keys are kept, and the twentieth different one starts a hold, whatever is said of other keys in
/// between, and whatever holds there are. If no other key comes for a few seconds, the refusals stand. After a success each
/// is believed at once; when the operator accepts the refusals, each with that message.
enum Denials: Sendable {
  case believed
  case unproven(Streak)

  struct Streak: Sendable {
    /// The API's message without the key's id, and the different rows that got it.
    var rows: [String: Set<Int64>] = [:]
    /// Keys that wait for a decision.
    var kept: [Charge] = []
    /// The messages that the operator has accepted.
    var accepted: Set<String> = []
    /// When the last key was refused.
    var latest: Seconds = -.infinity
  }

  /// This many different keys refused with one message, without a success, are not an accident.
  static let suspicious = 20
  /// An API that uses more different messages than this judges each key on its own.
  static let wordings = 4
  /// Seconds without another key after which refusals stand: lists that are dropped together become due one by one.
  static let lull: Seconds = 3

  /// Nothing was registered since the start or the last reload.
  var isUnproven: Bool { if case .unproven = self { true } else { false } }

  /// Keys that wait for a decision.
  var kept: [Charge] {
    if case .unproven(let streak) = self { streak.kept } else { [] }
  }

  /// When the refusals stand if no other key is sent; nil while none waits.
  var standFrom: Seconds? {
    if case .unproven(let streak) = self, !streak.kept.isEmpty { streak.latest + Self.lull } else { nil }
  }

  /// Takes in one refusal. Returns the keys that it decides on, and whether every key is being refused.
  mutating func note(_ charge: Charge, now: Seconds) -> (settled: [Charge], isShared: Bool) {
    guard case .unproven(var streak) = self else { return ([charge], false) }
    let words = Self.words(charge.fault.summary)
    if streak.accepted.contains(words) { return ([charge], false) }
    var settled: [Charge] = []
    if streak.rows[words] == nil, streak.rows.count >= Self.wordings {
      settled = streak.kept
      streak = Streak(accepted: streak.accepted)
    }
    streak.rows[words, default: []].insert(charge.job.key.row)
    streak.kept.append(charge)
    streak.latest = now
    self = .unproven(streak)
    return (settled, streak.rows[words, default: []].count >= Self.suspicious)
  }

  /// The message of a refusal without what differs from reply to reply: ids, parts of them, numbers.
  static func words(_ text: String) -> String {
    text.split { !$0.isLetter && !$0.isNumber && !"-+/_".contains($0) }
      .filter { word in
        !word.contains(where: \.isNumber) && !(word.count >= 6 && word.allSatisfy(\.isHexDigit))
          && !isMixed(word)
      }
      .joined(separator: " ").lowercased()
  }

  /// Capital letters after small ones, as in Base64: not a word of a sentence. (A member's name may be lost, too; alone it
  /// says nothing.)
  private static func isMixed(_ word: Substring) -> Bool {
    guard word.count >= 8, let small = word.firstIndex(where: \.isLowercase) else { return false }
    return word[small...].contains(where: \.isUppercase)
  }

  /// Removes the waiting keys; those that were seen still count.
  mutating func release() -> [Charge] {
    guard case .unproven(var streak) = self else { return [] }
    defer { self = .unproven(streak) }
    defer { streak.kept = [] }
    return streak.kept
  }

  /// Believes every refusal from now on. Returns the waiting keys.
  mutating func believe() -> [Charge] {
    defer { self = .believed }
    return kept
  }

  /// The operator says that every key with this refusal is refused rightly.
  mutating func accept(_ fault: RequestFault) {
    guard case .unproven(var streak) = self else { return }
    streak.accepted.insert(Self.words(fault.summary))
    self = .unproven(streak)
  }

  /// Starts from nothing: no key was registered or refused. Returns the waiting keys.
  mutating func forget() -> [Charge] {
    defer { self = .unproven(Streak()) }
    return kept
  }

  /// Every key is refused, and counting starts anew. Returns the waiting keys.
  mutating func interrupt() -> [Charge] {
    guard case .unproven(let streak) = self else { return [] }
    self = .unproven(Streak(accepted: streak.accepted))
    return streak.kept
  }
}
