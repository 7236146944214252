package import Registration

/// The keys that are registered, in the order of their first registration, which is the order that pages show.
package struct RegisteredKeys: Sendable {
  /// Ascending by sequence number, so that a key is found by binary search.
  private var entries: [(sequence: Int, id: AppKeyID)] = []
  private var sequences: [AppKeyID: Int] = [:]
  private var nextSequence = 0

  package var count: Int { entries.count }

  /// In the order of first registration.
  package var ids: [AppKeyID] { entries.map(\.id) }

  package func contains(_ id: AppKeyID) -> Bool { sequences[id] != nil }

  /// Registering again changes nothing.
  package mutating func insert(_ id: AppKeyID) {
    guard !contains(id) else { return }
    sequences[id] = nextSequence
    entries.append((nextSequence, id))
    nextSequence += 1
  }

  /// False when the key was not registered.
  package mutating func remove(_ id: AppKeyID) -> Bool {
    guard let sequence = sequences.removeValue(forKey: id) else { return false }
    var low = 0
    var high = entries.count - 1
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].sequence < sequence { low = middle + 1 } else { high = middle }
    }
    entries.remove(at: low)
    return true
  }

  /// Page `number`, counted from 0, of `size` keys each. Empty beyond the last.
  package func page(_ number: Int, size: Int) -> [AppKeyID] {
    let (start, overflow) = number.multipliedReportingOverflow(by: size)
    guard !overflow, start < entries.count else { return [] }
    return entries[start..<min(entries.count, start + min(size, entries.count))].map(\.id)
  }
}
