// When the current window ends, as an interval that every reply narrows.
//
// Reset is an integer whose rounding is unknown and whose age on arrival is unknown: alone it gives an interval two
// seconds wide. The vendor documents windows as calendar aligned, so Date and Period give the edge to a few milliseconds;
// that is used once several replies agreed with it and dropped when they stop agreeing.

struct WindowEdge: Hashable, Sendable {
  /// What one reply means for the edge that was known.
  enum Placement: Hashable {
    /// Of the window that is known.
    case current
    /// Of a window that is over.
    case past
    /// Of a window so many after the known one.
    case later(Int)
    /// The known edge was wrong and has been replaced.
    case replaced
    /// Cannot be reconciled, and was not used.
    case ignored
    /// The windows are none: the end moves with every request.
    case moving
  }

  private(set) var end: Interval
  /// Replies that agreed and disagreed with calendar alignment, and those in a row that no window explains.
  private var agreeing = 0
  private var disagreeing = 0
  private var contradictions = 0

  /// Replies that must agree before alignment is believed, and so many times more than disagree.
  private static let proofs = 3  // T08, T09
  private static let proofsPerDoubt = 10
  /// Where it is remembered no longer how many there were.
  private static let proofsKept = 1_000
  /// Seconds by which Reset may be off for being a whole number, and as much for the age of Date.
  private static let rounding: Seconds = 1  // S09, S23, S24, T05
  private static let calendarRounding: Seconds = 1.01
  /// Seconds of a period that is too short to tell multiples of it from chance.
  private static let shortestAligned: Seconds = 3  // T05
  /// Seconds by which a window may end later than a period from now.
  private static let absurd: Seconds = 2
  /// Seconds by which claim and edge may miss each other.
  private static let tolerance: Seconds = 0.3  // T12, T15
  /// Seconds after its end from which on a request cannot be of a window any more.
  private static let overdue: Seconds = 1
  /// Contradictions after which there are no windows.
  private static let contradictionsBelieved = 3  // T12

  /// Whether edges are multiples of the period on the server's clock: nil while not known.
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

  /// The interval that a Reset and the times of its request allow, narrowed by the calendar where that holds.
  static func claim(
    reset: Seconds, date: Seconds?, period: Seconds, sentAt: Seconds, receivedAt: Seconds, clock: ServerClock,
    aligned: Bool
  ) -> Interval {
    let claim = Interval(low: sentAt + reset - Self.rounding, high: receivedAt + reset + Self.rounding)
    guard aligned, let date, let distance = calendarDistance(reset: reset, date: date, period: period) else {
      return claim
    }
    let toMultiple = period - date.truncatingRemainder(dividingBy: period)
    // Date may be stamped in the second after the one in which Reset was counted.
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

  /// Whether the window would end later than any can.
  func isAbsurd(at now: Seconds, period: Seconds) -> Bool { end.low > now + period + Self.absurd }

  /// Places a reply's claim against the known edge, and narrows the edge by it where they fit.
  ///
  /// - Parameters:
  ///   - raw: the claim without help of the calendar.
  ///   - isLate: whether the reply says that a good part of its window is left.
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
    // Sent well after the window was thought over, and still the same window.
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

  /// Goes on by whole windows without a word from the server.
  mutating func advance(windows: Int, period: Seconds) { end = end.shifted(by: Double(windows) * period) }

  /// The window had begun at an instant, so it ends a period later at most.
  mutating func begun(by instant: Seconds, period: Seconds) {
    guard instant + period > end.low else { return }
    end.high = min(end.high, instant + period)
  }
}
