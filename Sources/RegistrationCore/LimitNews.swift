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

  private var told: [String?: KnownLimit] = [:]
  private var changes = 0
  private var untold = 0

  package init() {}

  /// The limits that are new or have changed since they were last logged, and how many changes were left out since
  /// then.
  package mutating func news(of limits: [KnownLimit]) -> (limits: [KnownLimit], untold: Int) {
    var news: [KnownLimit] = []
    for limit in limits where isNews(limit) {
      if told[limit.name] != nil || told.count < Self.remembered { told[limit.name] = limit }
      changes += 1
      if changes <= Self.toldInFull || changes.nonzeroBitCount == 1 { news.append(limit) } else { untold += 1 }
    }
    guard !news.isEmpty else { return ([], 0) }
    defer { untold = 0 }
    return (news, untold)
  }

  private func isNews(_ limit: KnownLimit) -> Bool {
    guard let old = told[limit.name], old.allowance.period == limit.allowance.period else { return true }
    let change = abs(limit.allowance.count - old.allowance.count)
    if limit.source == .headers { return change > 0 || old.source != .headers }
    return change * 4 > old.allowance.count
  }
}
