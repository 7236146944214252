// The limits that the pacer knows of, for whoever tells people of them.

package struct KnownLimit: Hashable, Sendable {
  /// Nil for a limit without a name.
  package var name: String?
  package var allowance: Allowance
  package var source: Standing.Source

  package init(name: String?, allowance: Allowance, source: Standing.Source) {
    self.name = name
    self.allowance = allowance
    self.source = source
  }
}

extension Pacer {
  /// Every limit that is obeyed now.
  package var limits: [KnownLimit] {
    if buckets.isEmpty {
      return unmetered.counted.map { [KnownLimit(name: nil, allowance: $0.allowance, source: $0.source)] } ?? []
    }
    return buckets.map { KnownLimit(name: $0.name, allowance: $0.allowance, source: .headers) }
  }
}
