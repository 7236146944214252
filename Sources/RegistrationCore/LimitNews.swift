package import RateLimit

/// Which changes of limits get a line in the journal: each change once, but not the small steps by which a limit
/// without headers is found.
///
/// Names and numbers come from the server, which may invent a new one with every reply. So only a few names are
/// remembered, and after the first changes only every second, fourth, eighth … one is logged, with the number of those
/// left out.
package struct LimitNews: Sendable {
  /// Names to distinguish. Real servers use a handful.
  private static let remembered = 16
  /// Changes that are all logged.
  private static let toldInFull = 32

  /// By name: a service can have two limits of one name, and the old one is obeyed for a while after a change of period.
  private var told: [String?: [KnownLimit]] = [:]
  private var changes = 0
  private var untold = 0

  /// - Parameter limits: What an earlier run logged.
  package init(told limits: [KnownLimit] = []) {
    for limit in limits.prefix(Self.remembered) { told[limit.name, default: []].append(limit) }
  }

  /// The limits that are new or have changed since they were last logged, and how many changes were left out since
  /// then.
  package mutating func news(of limits: [KnownLimit]) -> (limits: [KnownLimit], untold: Int) {
    var news: [KnownLimit] = []
    var current: [String?: [KnownLimit]] = [:]
    for limit in limits {
      let known = told[limit.name]?.first { $0.allowance.period == limit.allowance.period }
      if let known, !isNews(limit, after: known) {
        current[limit.name, default: []].append(known)
        continue
      }
      current[limit.name, default: []].append(limit)
      changes += 1
      if changes <= Self.toldInFull || changes.nonzeroBitCount == 1 { news.append(limit) } else { untold += 1 }
    }
    for (name, limits) in current where told[name] != nil || told.count < Self.remembered { told[name] = limits }
    guard !news.isEmpty else { return ([], 0) }
    defer { untold = 0 }
    return (news, untold)
  }

  private func isNews(_ limit: KnownLimit, after old: KnownLimit) -> Bool {
    let change = abs(limit.allowance.count - old.allowance.count)
    if limit.source == .headers { return change > 0 || old.source != .headers }
    return change * 4 > old.allowance.count
  }
}
