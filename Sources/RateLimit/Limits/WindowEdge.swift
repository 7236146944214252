// When the current window ends, as an interval that every reply narrows.
//
// Reset is an integer with unknown rounding and unknown age: alone it gives an interval two seconds wide. The vendor
// documents windows as aligned to the calendar, so Date and Period give the edge to a few milliseconds. That is used
// once several replies have agreed with it, and dropped when they no longer do.

struct WindowEdge: Hashable, Sendable {
  /// What one reply means for the known edge.
  enum Placement: Hashable {
    /// In the known window.
    case current
    /// In a window that is over.
    case past
    /// This many windows after the known one.
    case later(Int)
    /// The known edge was wrong and has been replaced.
    case replaced
    /// Cannot be reconciled, and was ignored.
    case ignored
    /// There are no windows: the end moves with every request.
    case moving
  }

  private(set) var end: Interval
  /// Replies that agreed and disagreed with calendar alignment, and how many in a row fit no window.
  private var agreeing = 0
  private var disagreeing = 0
  private var contradictions = 0

  /// Replies that must agree before alignment is believed, and how many for each that disagrees.
  private static let proofs = 3  // T08, T09
  private static let proofsPerDoubt = 10
  /// How many replies count as having agreed when alignment was remembered from an earlier run.
  private static let proofsKept = 1_000
  /// Seconds by which Reset may be off because it is a whole number, and the same for the age of Date.
  private static let rounding: Seconds = 1  // S09, S23, S24, T05
  private static let calendarRounding: Seconds = 1.01
  /// Below this period, in seconds, a match with its multiples may be chance.
  private static let shortestAligned: Seconds = 3  // T05
  /// Seconds beyond one period from now in which a window may still end.
  private static let absurd: Seconds = 2
  /// Seconds by which claim and edge may differ.
  private static let tolerance: Seconds = 0.3  // T12, T15
  /// A request sent this many seconds after a window's end cannot belong to it.
  private static let overdue: Seconds = 1
  /// Contradictions that prove that there are no windows.
  private static let contradictionsBelieved = 3  // T12

  /// Whether edges are multiples of the period on the server's clock; nil while unknown.
  var isAligned: Bool? {
    if agreeing >= Self.proofs && disagreeing * Self.proofsPerDoubt <= agreeing { return true }
    return disagreeing > 0 ? false : nil
  }

  init(end: Interval, aligned: Bool?) {
    self.end = end
    switch aligned {
    case true?: agreeing = Self.proofs
    case false?: disagreeing = 1
    case nil: break
    }
  }

  /// The interval that a Reset and the times of its request allow, narrowed by the calendar if windows are aligned.
  static func claim(
    reset: Seconds, date: Seconds?, period: Seconds, sentAt: Seconds, receivedAt: Seconds, clock: ServerClock,
    aligned: Bool
  ) -> Interval {
    let claim = Interval(low: sentAt + reset - Self.rounding, high: receivedAt + reset + Self.rounding)
    guard aligned, let date, let distance = calendarDistance(reset: reset, date: date, period: period) else {
      return claim
    }
    let toMultiple = period - date.truncatingRemainder(dividingBy: period)
    // Date may be from the second after the one in which Reset was computed.
    let wait = abs(reset - toMultiple) <= Self.calendarRounding ? toMultiple : toMultiple - period
    guard abs(distance) <= Self.calendarRounding, let edge = clock.instant(ofEpoch: date + wait) else { return claim }
    return claim.intersection(edge) ?? claim
  }

  /// How far Date + Reset is from a multiple of the period.
  private static func calendarDistance(reset: Seconds, date: Seconds, period: Seconds) -> Seconds? {
    let distance = (date + reset).truncatingRemainder(dividingBy: period)
    return distance > period / 2 ? distance - period : distance
  }

  /// Counts whether a reply agrees with calendar alignment.
  mutating func noteAlignment(reset: Seconds, date: Seconds, period: Seconds) {
    guard period > Self.shortestAligned, let distance = Self.calendarDistance(reset: reset, date: date, period: period)
    else { return }
    if abs(distance) <= Self.calendarRounding {
      agreeing = min(agreeing + 1, Self.proofsKept)
    } else {
      disagreeing = min(disagreeing + 1, Self.proofsKept)
    }
  }

  /// Whether the window would end later than is possible.
  func isAbsurd(at now: Seconds, period: Seconds) -> Bool { end.low > now + period + Self.absurd }

  /// Compares a reply's claim with the known edge, and narrows the edge if they fit.
  ///
  /// - Parameters:
  ///   - raw: The claim without the calendar's help.
  ///   - isLate: Whether the reply says that a good part of its window is left.
  mutating func place(_ claim: Interval, raw: Interval, period: Seconds, sentAt: Seconds, now: Seconds, isLate: Bool)
    -> Placement
  {
    if isAbsurd(at: now, period: period) {
      end = raw
      return .replaced
    }
    let windows = ((claim.middle - end.middle) / period).rounded()
    let rest = claim.middle - end.middle - windows * period
    let fits = abs(rest) <= (claim.width + end.width) / 2 + Self.tolerance
    // Sent well after the window should have been over, and still the same window.
    let overdue = windows == 0 && sentAt > end.high + Self.overdue && isLate
    if !fits || overdue {
      if isAligned == true {
        (agreeing, disagreeing) = (0, 1)
        end = raw
        return .replaced
      }
      contradictions += 1
      if contradictions >= Self.contradictionsBelieved { return .moving }
      if !fits { return .ignored }
    } else if contradictions > 0 && windows == 0 {
      contradictions = max(0, contradictions - 1)
    }
    if windows < 0 { return .past }
    end = end.shifted(by: windows * period)
    if let narrowed = end.intersection(claim) { end = narrowed }
    return windows > 0 ? .later(Int(clamping: min(windows, 1e9))) : .current
  }

  /// Moves on by whole windows without a word from the server.
  mutating func advance(windows: Int, period: Seconds) { end = end.shifted(by: Double(windows) * period) }

  /// The window had begun by an instant, so it ends at most a period later.
  mutating func begun(by instant: Seconds, period: Seconds) {
    guard instant + period > end.low else { return }
    end.high = min(end.high, instant + period)
  }
}
