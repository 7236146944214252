import RateLimit

/// How far apart the probes of a hold are: each wait is twice as long as the last, up to a limit.
struct ProbeSpacing: Hashable {
  /// Seconds.
  var first: Seconds
  /// Seconds.
  var longest: Seconds

  /// 5, 10, 20, 20 … s: refused credentials do not fix themselves, and refusals are counted against the caller.
  static let credentials = ProbeSpacing(first: 5, longest: 20)
  /// 30, 60, 120, 240, 300 … s: each costs quota, and somebody has to act first.
  static let refused = ProbeSpacing(first: 30, longest: 300)

  /// 0.5, 1, 2, 4, 7.5 s, so that work resumes within 8 s of an outage of minutes; after ten minutes at most a twentieth
  /// of the time that it has lasted, up to two minutes. Six hours of outage cost about 360 probes.
  ///
  /// Where a gateway answers 403, up to a minute apart from the start: it may refuse whoever asks too often, and for longer
  /// each time that is asked (Apache's mod_evasive: 10 s from the last request on).
  ///
  /// - Parameters:
  ///   - age: Seconds that the outage has lasted.
  ///   - isForbidden: It began with a gateway's 403.
  static func outage(age: Seconds, isForbidden: Bool = false) -> ProbeSpacing {
    let shortest = isForbidden ? 60 : Holds.longestInquiry
    return ProbeSpacing(first: 0.5, longest: age > 600 ? max(shortest, min(120, age / 20)) : shortest)
  }

  /// Seconds to wait before the next probe, after `returns` that changed nothing.
  func delay(after returns: Int) -> Seconds { min(longest, first * Double(1 << min(max(0, returns), 16))) }
}
