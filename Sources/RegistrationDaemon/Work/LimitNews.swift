package import RateLimit

/// Which changes of limits are worth a line in the journal: each once, and none for the small steps by which a limit that
/// no header tells is found out.
package struct LimitNews: Sendable {
  private var told: [String?: KnownLimit] = [:]

  package init() {}

  /// The limits that are new, or other than they were when they were last told.
  package mutating func news(of limits: [KnownLimit]) -> [KnownLimit] {
    let news = limits.filter { isNews($0) }
    for limit in news { told[limit.name] = limit }
    return news
  }

  private func isNews(_ limit: KnownLimit) -> Bool {
    guard let old = told[limit.name], old.allowance.period == limit.allowance.period else { return true }
    let change = abs(limit.allowance.count - old.allowance.count)
    if limit.source == .headers { return change > 0 || old.source != .headers }
    return change * 4 > old.allowance.count
  }
}
