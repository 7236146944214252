import RateLimit
import Registration

/// Where each key is that this process has taken from the queue and not yet given back: one place each.
///
/// | from \ to | ready | in flight | awaiting witness | awaiting commit | the queue's again |
/// |---|---|---|---|---|---|
/// | the queue | `supply` | | | | |
/// | ready | | `take` | | | `keysChanged`, `refund` |
/// | in flight | `giveBack` | | `keep` | `settle` | `giveBack` of what may have changed |
/// | awaiting witness | `giveBack` | | | `settle` | `giveBack` of what may have changed |
/// | awaiting commit | | | | | `committed` |
package struct KeyLedger: Sendable {
  package enum Place: Sendable, Hashable, CaseIterable {
    /// Read ahead, or due again.
    case ready
    /// Sent, and no reply yet.
    case inFlight
    /// What it was answered means something only once others have been answered.
    case awaitingWitness
    /// Its result is on its way to the disk.
    case awaitingCommit
  }

  private var places: [Int64: Place] = [:]
  private var counts: [Place: Int] = [:]
  /// Due keys in order, read ahead.
  private var ahead: [DueKey] = []
  private var nextAhead = 0
  /// Keys that were sent and are due again at once: after a 429, or when a trouble was not theirs.
  private var returned: [DueKey] = []
  /// Rows whose attempts are being given back, and how often: the queue still tells the old number.
  private var refunding: [Int64: Int] = [:]
  /// Rows whose outcome was on its way to the disk when keys changed: somebody may have put them back to pending behind it.
  private var mayBeOpenAgain: Set<Int64> = []
  /// Whether a read has shown that no more keys are due than are here.
  private(set) var isDrained = false
  /// When the next key that waits for another attempt is due.
  private(set) var nextDue: Seconds?
  /// Counts what makes keys that were read ahead stale.
  private(set) var generation = 0
  /// Counts changes of the keys themselves: lists that came, went or were cancelled.
  private(set) var reading = 0

  /// Keys read ahead below which more are wanted.
  private static let lowWater = 32

  var wantsKeys: Bool { !isDrained && ahead.count - nextAhead < Self.lowWater }
  var hasKey: Bool { !returned.isEmpty || nextAhead < ahead.count }
  /// Keys that are neither due nor recorded.
  var inHand: Int { count(.inFlight) + count(.awaitingWitness) + count(.awaitingCommit) }
  var isRecorded: Bool { count(.awaitingCommit) == 0 }

  /// Rows that must not be read again.
  var taken: Set<Int64> { Set(places.keys).union(refunding.keys) }

  package func place(of row: Int64) -> Place? { places[row] }
  package func count(_ place: Place) -> Int { counts[place, default: 0] }

  /// The only place where a key changes its place.
  private mutating func move(_ row: Int64, to place: Place?) {
    if let old = places.removeValue(forKey: row) { counts[old, default: 0] -= 1 }
    guard let place else { return }
    places[row] = place
    counts[place, default: 0] += 1
  }

  // MARK: - From the queue

  /// Takes in keys that were read, unless they may have changed since.
  ///
  /// - Parameters:
  ///   - isAll: No others are due.
  ///   - nextDue: When the next one is, nil when none waits.
  mutating func supply(_ keys: [DueKey], isAll: Bool, nextDue: Seconds?, generation: Int) {
    guard generation == self.generation else { return }
    ahead.removeFirst(nextAhead)
    nextAhead = 0
    for key in keys where places[key.row] == nil {
      ahead.append(key)
      move(key.row, to: .ready)
    }
    isDrained = isAll
    if let nextDue { self.nextDue = min(nextDue, self.nextDue ?? nextDue) }
  }

  /// Keys came, went or changed their order: what was read ahead is read anew.
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

  /// A read that is under way is of no use any more, and there may be more keys than it shows.
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
    }
    if let key { move(key.row, to: .inFlight) }
    return key
  }

  // MARK: - Back

  /// The key is due again.
  ///
  /// - Parameters:
  ///   - reading: The reading that it came from.
  ///   - isLast: It goes behind the others.
  mutating func giveBack(_ key: DueKey, readIn reading: Int, isLast: Bool) {
    // It may have been cancelled meanwhile, or have fewer attempts than it says: if it is still open, the next read brings
    // it.
    guard reading == self.reading, refunding[key.row] == nil else {
      move(key.row, to: nil)
      return readAnew()
    }
    move(key.row, to: .ready)
    if isLast { ahead.append(key) } else { returned.append(key) }
  }

  mutating func keep(_ row: Int64) { move(row, to: .awaitingWitness) }

  /// A result of the key is on its way to disk.
  mutating func settle(_ row: Int64) { move(row, to: .awaitingCommit) }

  mutating func wait(until due: Seconds) { nextDue = min(nextDue ?? .infinity, due) }

  /// An attempt is given back: what was read ahead of the key is read again once the queue knows.
  mutating func refund(_ row: Int64) {
    refunding[row, default: 0] += 1
    if places[row] == .ready {
      ahead = ahead[nextAhead...].filter { $0.row != row }
      nextAhead = 0
      returned.removeAll { $0.row == row }
      move(row, to: nil)
    }
    readAnew()
  }

  mutating func committed(_ results: [KeyResult]) {
    for result in results {
      defer { if result.verdict != .refund { mayBeOpenAgain.remove(result.row) } }
      switch result.verdict {
      case .registered, .failed:
        move(result.row, to: nil)
        if mayBeOpenAgain.contains(result.row) { readAnew() }
      case .retry, .postpone, .lookAgain:
        move(result.row, to: nil)
        readAnew()
      case .refund:
        refunding[result.row] = refunding[result.row].flatMap { $0 > 1 ? $0 - 1 : nil }
        readAnew()
      }
    }
  }
}
