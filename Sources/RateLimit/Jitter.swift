// Small random shifts, so that daemons that share a budget do not ask in step. SplitMix64 (Steele, Lea, Flood 2014): eight
// bytes of state, and the same seed gives the same run, which the simulation needs.

struct Jitter: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// Uniform in 0..<1.
  mutating func unit() -> Double {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return Double((mixed ^ (mixed >> 31)) >> 11) * 0x1p-53
  }

  mutating func uniform(_ range: ClosedRange<Double>) -> Double {
    range.lowerBound + unit() * (range.upperBound - range.lowerBound)
  }
}
