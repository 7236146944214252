import Glibc
import Registration

/// Another client of the same organisation, which uses a share of the limit at unpredictable times.
///
/// Its requests are a Poisson process, drawn from a seed and produced when the clock is next read.
struct Neighbour: Sendable {
  private var random: SplitMix64
  /// Requests that come at once; more than one only for limits so large that drawing single ones would be too
  /// expensive.
  private let burst: Int
  private let meanGapMilliseconds: Double
  private var next: Double?

  /// `share` of `quota`, above 0 and up to 1.
  init(share: Double, of quota: Quota, seed: UInt64) {
    random = SplitMix64(seed: seed)
    let requestsInAPeriod = Double(quota.count) * share
    burst = max(1, Int(requestsInAPeriod / 10_000))
    meanGapMilliseconds = Double(quota.periodMilliseconds) * Double(burst) / requestsInAPeriod
  }

  /// Sends what is due up to `time`. What was due more than a period ago no longer matters and is left out.
  mutating func spend(from limit: inout ServerLimit, until time: Timestamp) {
    let now = Double(time.milliseconds)
    var due = next ?? now + gap()
    due = max(due, now - Double(limit.quota.periodMilliseconds))
    while due <= now {
      limit.take(burst, at: Timestamp(milliseconds: Int64(due)))
      due += gap()
    }
    next = due
  }

  private mutating func gap() -> Double {
    // Adding the smallest fraction keeps the logarithm finite.
    -log(random.unit() + 0x1p-54) * meanGapMilliseconds
  }
}
