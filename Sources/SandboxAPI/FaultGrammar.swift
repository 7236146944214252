import Registration

/// The text form of a `FaultPlan`, as `keyreg sandbox --faults` takes it.
///
/// ```
/// plan   = clause *("," clause)
/// clause = effect [":" scope] ["@" from "-" [to]]
///        / "tenant=" share       another user spends this share of the limit: tenant=0.3
///        / "seed=" number        changes every draw; 1 without it
/// effect = status                300…599: 500, 403, 302
///        / "page=" status        300…599 as a gateway's HTML page: page=404
///        / "edge429"             a 429 as an HTML page without headers
///        / "reset"               the connection is reset, nothing is done
///        / "lost"                the key is registered, the answer never comes
///        / "slow=" duration      answered this much later
///        / "hang"                never answered
///        / "captive"             200 with an HTML page, nothing is done
///        / "truncated"           the answer stops half-way
///        / "foreign"             the answer names another key
/// scope  = percent "%"           of the requests: 500:1%
///        / "key=" uuid           one key: 404:key=…
///        / "keys=" percent "%"   all requests of so many of the keys: 404:keys=0.5%
///        / "first=" number       the first requests of each key: 500:first=2
/// from, to = duration            since the start: 503@10s-20s; without an end, for good: 401@1m-
/// ```
/// Without a scope, a clause applies to every request. If several apply, the first one counts; `slow` adds to it.
extension FaultPlan {
  /// The grammar in one sentence, for errors and help.
  package static let hint =
    "write clauses separated by commas: EFFECT or EFFECT:SCOPE, either with a span @FROM-TO or @FROM- behind it, "
    + "tenant=SHARE or seed=N; effects: 300…599, "
    + "page=STATUS, edge429, reset, lost, slow=DURATION, hang, captive, truncated, foreign; scopes: N%, key=UUID, keys=N%, first=N"

  /// Reads the grammar above; the empty text is `none`. Throws `SyntaxError` naming the clause that cannot be read.
  package init(parsing text: some StringProtocol) throws {
    self.init()
    guard !text.isEmpty else { return }
    for clause in text.split(separator: ",", omittingEmptySubsequences: false) {
      let (word, value) = Self.cut(clause, at: "=")
      switch (word, value) {
      case ("seed", let value?):
        guard let seed = UInt64(value) else { throw Self.error(clause, "the seed is not a whole number") }
        self.seed = seed
      case ("tenant", let value?):
        guard let share = Double(value), share > 0, share <= 1 else {
          throw Self.error(clause, "the share must be above 0 and at most 1")
        }
        neighbourShare = share
      default:
        faults.append(try Self.fault(clause))
      }
    }
  }

  private static func fault(_ clause: some StringProtocol) throws -> Fault {
    let (rest, span) = cut(clause, at: "@")
    let (effect, scope) = cut(rest, at: ":")
    return Fault(
      try Self.effect(effect, in: clause), try scope.map { try Self.scope($0, in: clause) } ?? .everyRequest,
      during: try span.map { try Self.span($0, in: clause) })
  }

  private static func effect(_ text: String, in clause: some StringProtocol) throws -> Fault.Effect {
    let (word, value) = cut(text, at: "=")
    switch (word, value) {
    case ("edge429", nil): return .edge429
    case ("page", let value?):
      guard let status = status(value) else { throw error(clause, "“\(value)” is not a status from 300 to 599") }
      return .page(status)
    case ("reset", nil): return .reset
    case ("lost", nil): return .lost
    case ("slow", let value?): return .slow(try Duration(parsing: value))
    case ("hang", nil): return .hang
    case ("captive", nil): return .captive
    case ("truncated", nil): return .truncated
    case ("foreign", nil): return .foreign
    case (_, nil):
      guard let status = status(word) else { fallthrough }
      return .status(status)
    default: throw error(clause, "“\(text)” is not an effect")
    }
  }

  private static func status(_ text: String) -> Int? {
    text.utf8.count == 3 ? Int(text).flatMap { (300...599).contains($0) ? $0 : nil } : nil
  }

  private static func scope(_ text: String, in clause: some StringProtocol) throws -> Fault.Scope {
    let (word, value) = cut(text, at: "=")
    switch (word, value) {
    case ("key", let value?):
      guard let id = AppKeyID(value) else { throw error(clause, "“\(value)” is not a UUID") }
      return .key(id)
    case ("keys", let value?):
      return .shareOfKeys(try share(value, in: clause))
    case ("first", let value?):
      guard let count = Int(value), count >= 1 else { throw error(clause, "“\(value)” is not a count of 1 or more") }
      return .firstOfEachKey(count)
    case (_, nil):
      return .shareOfRequests(try share(word, in: clause))
    default:
      throw error(clause, "“\(text)” is not a scope")
    }
  }

  private static func share(_ text: String, in clause: some StringProtocol) throws -> Double {
    guard text.last == "%", let percent = Double(text.dropLast()), percent > 0, percent <= 100 else {
      throw error(clause, "“\(text)” is not a percentage above 0% and at most 100%")
    }
    return percent / 100
  }

  private static func span(_ text: String, in clause: some StringProtocol) throws -> Range<Duration> {
    guard case (let from, let to?) = cut(text, at: "-") else { throw error(clause, "“\(text)” is not FROM-TO") }
    let start = try Duration(parsing: from)
    let end = to.isEmpty ? Duration.seconds(Int64.max) : try Duration(parsing: to)
    guard start < end else { throw error(clause, "“\(text)” ends before it begins") }
    return start..<end
  }

  /// The text before the first `separator`, and what follows it, if it is there.
  private static func cut(_ text: some StringProtocol, at separator: Character) -> (String, String?) {
    let parts = text.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false)
    return (String(parts[0]), parts.count == 2 ? String(parts[1]) : nil)
  }

  private static func error(_ clause: some StringProtocol, _ problem: String) -> SyntaxError {
    SyntaxError("fault “\(clause)”: \(problem)", hint: hint)
  }
}
