import RateLimit
import Registration

/// Where each key is that this process has taken from the queue and not given back. A key is in one place.
///
/// | from \ to | ready | in flight | awaiting witness | awaiting commit | the queue's again |
/// |---|---|---|---|---|---|
/// | the queue | `supply` | | | | |
/// | ready | | `take` | | | `keysChanged` |
/// | in flight | `giveBack` | | `keep` | `settle` | `giveBack` of what may have changed |
/// | awaiting witness | `giveBack` | | | `settle` | `giveBack` of what may have changed |
/// | awaiting commit | | | | | `committed` |
package struct KeyLedger: Sendable {
  package enum Place: Sendable, Hashable, CaseIterable {
    /// Read ahead, or due again.
    case ready
    /// Sent, no reply yet.
    case inFlight
    /// Its answer means something only once other keys have been answered.
    case awaitingWitness
    /// Its result is being written to disk.
    case awaitingCommit
  }

  private var places: [Int64: Place] = [:]
  private var counts: [Place: Int] = [:]
  /// Due keys in order, read ahead.
  private var ahead: [DueKey] = []
  private var nextAhead = 0
  /// Keys taken from `ahead` since the start.
  private var turns = 0
  /// Keys that were sent and are due again at once: after a 429, or when a problem was not theirs.
  private var returned: [DueKey] = []
  /// Rows whose attempts are being counted, and how often: the queue still has the old number.
  private var charging: [Int64: Int] = [:]
  /// Rows whose attempts were counted since a page was asked for: it may have the old number.
  private var charged: Set<Int64> = []
  /// Keys in hand that have the old number.
  private var outdated: Set<Int64> = []
  /// Rows whose outcome was being written when keys changed: they may have been put back to pending afterwards.
  private var mayBeOpenAgain: Set<Int64> = []
  /// Whether a read has shown that all due keys are here.
  private(set) var isDrained = false
  /// When the next key that waits for another attempt is due.
  private(set) var nextDue: Seconds?
  /// Counts events that make read-ahead keys stale.
  private(set) var generation = 0
  /// Counts changes of the keys themselves: lists that were added, removed or cancelled.
  private(set) var reading = 0

  /// More keys are read when fewer than this are read ahead.
  private static let lowWater = 32

  var wantsKeys: Bool { !isDrained && ahead.count - nextAhead < Self.lowWater }
  /// How many keys are taken in order before the first of the next page.
  var nextTurn: Int { turns + ahead.count - nextAhead }
  var hasKey: Bool { !returned.isEmpty || nextAhead < ahead.count }
  /// Keys that are neither due nor recorded.
  var inHand: Int { count(.inFlight) + count(.awaitingWitness) + count(.awaitingCommit) }
  var isRecorded: Bool { count(.awaitingCommit) == 0 }

  /// Rows whose outcome may be known already: sent without a reply, or with a result that is being written.
  package var undecided: Set<Int64> { Set(places.keys.filter(isUndecided)) }

  package func isUndecided(_ row: Int64) -> Bool {
    switch places[row] {
    case .inFlight, .awaitingCommit: true
    case .ready, .awaitingWitness, nil: false
    }
  }

  /// Whether the key is here to be sent, or its answer is still open.
  func awaitsAnswer(_ row: Int64) -> Bool {
    switch places[row] {
    case .ready, .inFlight, .awaitingWitness: true
    case .awaitingCommit, nil: false
    }
  }

  /// Rows that must not be read again.
  var taken: Set<Int64> { Set(places.keys).union(charging.keys) }

  package func place(of row: Int64) -> Place? { places[row] }
  package func count(_ place: Place) -> Int { counts[place, default: 0] }

  /// Keys change their place only here.
  private mutating func move(_ row: Int64, to place: Place?) {
    if let old = places.removeValue(forKey: row) { counts[old, default: 0] -= 1 }
    guard let place else { return }
    places[row] = place
    counts[place, default: 0] += 1
  }

  // MARK: - From the queue

  /// A page of keys is asked for.
  mutating func readBegins() { charged = [] }

  /// Takes in keys that were read, unless they may have changed since.
  ///
  /// - Parameters:
  ///   - isAll: No others are due.
  ///   - nextDue: When the next one is due, nil when none waits.
  mutating func supply(_ keys: [DueKey], isAll: Bool, nextDue: Seconds?, generation: Int) {
    // A page is taken whole: it has lists of lower priority in every tenth place.
    guard generation == self.generation,
      !keys.contains(where: { charging[$0.row] != nil || charged.contains($0.row) })
    else { return }
    ahead.removeFirst(nextAhead)
    nextAhead = 0
    for key in keys where places[key.row] == nil {
      ahead.append(key)
      move(key.row, to: .ready)
    }
    isDrained = isAll && charged.isEmpty
    if let nextDue { self.nextDue = min(nextDue, self.nextDue ?? nextDue) }
  }

  /// Keys were added, removed or reordered: what was read ahead is read again.
  mutating func keysChanged() {
    reading += 1
    for (row, place) in places where place == .awaitingCommit { mayBeOpenAgain.insert(row) }
    for key in ahead[nextAhead...] { move(key.row, to: nil) }
    for key in returned { move(key.row, to: nil) }
    ahead.removeAll()
    returned.removeAll()
    nextAhead = 0
    readAnew()
  }

  /// A read in progress is useless now, and there may be more keys than it shows.
  private mutating func readAnew() {
    generation += 1
    isDrained = false
  }

  mutating func passTime(to now: Seconds) {
    guard let due = nextDue, now >= due else { return }
    nextDue = nil
    isDrained = false
  }

  mutating func take() -> DueKey? {
    var key = returned.popLast()
    if key == nil, nextAhead < ahead.count {
      key = ahead[nextAhead]
      nextAhead += 1
      turns += 1
    }
    if let key { move(key.row, to: .inFlight) }
    return key
  }

  // MARK: - Back

  /// The key is due again.
  ///
  /// - Parameters:
  ///   - reading: The reading that it came from.
  ///   - isLast: Puts it behind the others.
  mutating func giveBack(_ key: DueKey, readIn reading: Int, isLast: Bool) {
    // It may have been cancelled meanwhile, or have more attempts than it says. If it is still open, the next read
    // returns it.
    guard outdated.remove(key.row) == nil, reading == self.reading else {
      move(key.row, to: nil)
      return readAnew()
    }
    move(key.row, to: .ready)
    if isLast { ahead.append(key) } else { returned.append(key) }
  }

  mutating func keep(_ row: Int64) { move(row, to: .awaitingWitness) }

  /// A result of the key is being written to disk.
  mutating func settle(_ row: Int64) {
    outdated.remove(row)
    move(row, to: .awaitingCommit)
  }

  mutating func wait(until due: Seconds) { nextDue = min(nextDue ?? .infinity, due) }

  /// An attempt of the key counts. What the queue has of it is read only once that is on disk.
  mutating func charge(_ row: Int64) {
    charging[row, default: 0] += 1
    switch places[row] {
    case .ready:
      for index in ahead.indices where ahead[index].row == row { ahead[index].attempts += 1 }
      for index in returned.indices where returned[index].row == row { returned[index].attempts += 1 }
    case .inFlight, .awaitingWitness: outdated.insert(row)
    case .awaitingCommit, nil: break
    }
  }

  mutating func committed(_ results: [KeyResult]) {
    for result in results {
      switch result.decision {
      case .registered, .failed:
        move(result.row, to: nil)
        if mayBeOpenAgain.remove(result.row) != nil { readAnew() }
      case .retry, .postpone, .lookAgain:
        move(result.row, to: nil)
        mayBeOpenAgain.remove(result.row)
        readAnew()
      case .charge:
        charging[result.row] = charging[result.row].flatMap { $0 > 1 ? $0 - 1 : nil }
        charged.insert(result.row)
        isDrained = false
      case .spare: readAnew()
      }
    }
  }
}
