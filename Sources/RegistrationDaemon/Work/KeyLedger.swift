import RateLimit
import RegistrationQueue

/// Where each key is that this process has taken from the queue and not yet given back: read ahead, due again, kept, or on
/// its way to disk. What is under way is the scheduler's.
struct KeyLedger: Sendable {
  /// Due keys in order, read ahead.
  private var ready: [DueKey] = []
  private var nextReady = 0
  /// Keys that were sent and are due again at once: after a 429, or when a trouble was not theirs.
  private var returned: [DueKey] = []
  /// Keys whose verdict waits for others' answers.
  private var kept: Set<Int64> = []
  /// Keys whose result is not on disk yet.
  private var unrecorded: Set<Int64> = []
  /// Rows whose attempts are being given back, and how often: the queue still tells the old number.
  private var refunding: [Int64: Int] = [:]
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

  var wantsKeys: Bool { !isDrained && ready.count - nextReady < Self.lowWater }
  var hasKey: Bool { !returned.isEmpty || nextReady < ready.count }
  /// Keys that are neither due nor recorded, those under way apart.
  var inHand: Int { kept.count + unrecorded.count }
  var isRecorded: Bool { unrecorded.isEmpty }

  /// Rows that must not be read again.
  var taken: Set<Int64> {
    var rows = kept.union(unrecorded).union(refunding.keys)
    rows.formUnion(returned.map(\.row))
    rows.formUnion(ready[nextReady...].map(\.row))
    return rows
  }

  // MARK: - From the queue

  mutating func supply(_ keys: [DueKey], isAll: Bool, nextDue: Seconds?, generation: Int) {
    guard generation == self.generation else { return }
    ready.removeFirst(nextReady)
    nextReady = 0
    ready += keys
    isDrained = isAll
    if let nextDue { self.nextDue = min(nextDue, self.nextDue ?? nextDue) }
  }

  mutating func keysChanged() {
    reading += 1
    ready.removeAll()
    returned.removeAll()
    nextReady = 0
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
    if let key = returned.popLast() { return key }
    guard nextReady < ready.count else { return nil }
    defer { nextReady += 1 }
    return ready[nextReady]
  }

  // MARK: - Back

  /// The key is due again.
  ///
  /// - Parameter isLast: It goes behind the others.
  mutating func giveBack(_ key: DueKey, readIn reading: Int, isLast: Bool) {
    kept.remove(key.row)
    // It may have been cancelled meanwhile, or have fewer attempts than it says: if it is still open, the next read brings
    // it.
    guard reading == self.reading, refunding[key.row] == nil else { return readAnew() }
    if isLast { ready.append(key) } else { returned.append(key) }
  }

  mutating func keep(_ row: Int64) { kept.insert(row) }

  /// A result of the key is on its way to disk.
  mutating func settle(_ row: Int64) {
    kept.remove(row)
    unrecorded.insert(row)
  }

  mutating func wait(until due: Seconds) { nextDue = min(nextDue ?? .infinity, due) }

  /// An attempt is given back: what was read ahead of the key is read again once the queue knows.
  mutating func refund(_ row: Int64) {
    refunding[row, default: 0] += 1
    ready = ready[nextReady...].filter { $0.row != row }
    nextReady = 0
    returned.removeAll { $0.row == row }
    readAnew()
  }

  mutating func recorded(_ results: [KeyResult]) {
    for result in results {
      switch result.verdict {
      case .registered, .failed: unrecorded.remove(result.row)
      case .retry, .postpone, .lookAgain:
        unrecorded.remove(result.row)
        readAnew()
      case .refund:
        refunding[result.row] = refunding[result.row].flatMap { $0 > 1 ? $0 - 1 : nil }
        readAnew()
      }
    }
  }
}
