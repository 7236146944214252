// How much of the current window is left, as far as it can be trusted. Replies overtake each other, and some servers
// answer from replicas that are seconds behind. So the lowest count in a window holds, and a higher one must prove
// itself.

struct WindowBudget: Sendable {
  private(set) var limit: Int
  /// The lowest trusted count of this window.
  private(set) var remaining: Int
  /// Our own requests in this window, including those in flight.
  private(set) var own: Int
  /// When, and by which request, `remaining` was set.
  private(set) var readAt: Seconds
  private var readBy: UInt64
  /// A 429 said that this window is empty.
  private(set) var isConfirmedEmpty = false
  /// Replies come from replicas that are behind: it takes more to believe that a new window is empty.
  private(set) var isLagging = false
  private var higher: (count: Int, times: Int)?

  /// This many replies in a row with a higher count are believed.
  private static let proofs = 8
  /// Counts that differ by more than this share of the limit are from different moments.
  private static let tolerance = 0.05
  /// Seconds into a window during which a much lower count is taken for the last window's, if replicas are behind …
  private static let lag: Seconds = 2.5  // S17, T05
  /// … and during which a higher one is believed at once.
  private static let catchingUp: Seconds = 4

  init(limit: Int, remaining: Int, own: Int, by flight: Flight, at now: Seconds) {
    self.limit = limit
    self.remaining = remaining
    self.own = own
    readAt = now
    readBy = flight.sequence
  }

  /// What may still be sent: the server's count minus what it may not have counted yet, and never more than the limit
  /// minus our own use, so that no stale count can make us alone exceed a limit.
  func available(inFlight: Int) -> Int { min(remaining - inFlight, limit - own) }

  /// What others have taken from this window, as far as can be known.
  var takenByOthers: Int { max(0, limit - remaining - own) }

  /// Maximum that others can have taken.
  var mostForOthers: Int { max(0, limit - own) }

  mutating func sent() { own += 1 }

  /// The server did not count this request after all (429, refused credentials, never sent).
  mutating func giveBack() { own = max(0, own - 1) }

  /// Answered without a count. If it was sent after the trusted count was read, that count cannot include it.
  mutating func countUnread(_ flight: Flight) { if flight.sequence > readBy { remaining = max(0, remaining - 1) } }

  /// The limit changed within the window. A raised limit is usable at once; of a lowered one only what the reply says
  /// is left.
  mutating func change(limit new: Int, remaining said: Int, by flight: Flight) {
    guard new != limit, flight.sequence >= readBy else { return }
    remaining = new > limit ? remaining + new - limit : min(remaining, said)
    limit = new
    isConfirmedEmpty = false
  }

  /// A count of the current window, which ends at `end` at the latest.
  mutating func read(
    _ count: Int, flight: Flight, inFlight: Int, throttled: Bool, startedAt: Seconds, end: Seconds, now: Seconds
  ) {
    let tolerance = Double(limit) * Self.tolerance
    let age = flight.sentAt - startedAt
    if isLagging && !throttled && age < Self.lag && Double(remaining - count) > tolerance + Double(inFlight) {
      return  // last window's number, most likely
    }
    if count <= remaining {
      set(count, by: flight, at: now)
    } else if !throttled && flight.sentAt > readAt {
      if flight.isProbe || (isLagging && age < Self.catchingUp) {
        // Sent after the end it says nothing about replicas: if this is still the same window, there was no end.
        if Double(count - remaining) > tolerance && flight.sentAt < end { isLagging = true }
        set(count, by: flight, at: now)
      } else {
        higher = (min(count, higher?.count ?? count), (higher?.times ?? 0) + 1)
        if let proven = higher, proven.times >= Self.proofs { set(proven.count, by: flight, at: now) }
      }
    }
  }

  private mutating func set(_ count: Int, by flight: Flight, at now: Seconds) {
    remaining = count
    readBy = max(readBy, flight.sequence)
    readAt = now
    higher = nil
  }

  mutating func close() {
    remaining = 0
    isConfirmedEmpty = true
  }

  /// A new window. `own` are our requests that it has counted or will count.
  mutating func renew(remaining said: Int, own new: Int, usualForOthers: Int, by flight: Flight, at now: Seconds) {
    own = new
    isConfirmedEmpty = false
    set(said, by: flight, at: now)
    readBy = flight.sequence
    if isLagging && Double(limit - said - own - usualForOthers) > Double(limit) * Self.tolerance {
      remaining = max(0, limit - own - usualForOthers)
    }
  }

  /// The window was misjudged; the count stands for another one.
  mutating func replace(remaining said: Int, by flight: Flight, at now: Seconds) {
    set(said, by: flight, at: now)
    readBy = flight.sequence
  }
}
