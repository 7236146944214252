/// A small generator that gives the same numbers for the same seed on every machine, for jitter, faults and tests
/// (SplitMix64: Steele, Lea, Flood 2014; constants in the public domain).
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private static let step: UInt64 = 0x9e37_79b9_7f4a_7c15
  private var state: UInt64

  package init(seed: UInt64) {
    state = seed
  }

  package mutating func next() -> UInt64 {
    state &+= Self.step
    return Self.mix(state)
  }

  /// 0..<1.
  package mutating func unit() -> Double { Self.unit(next()) }

  package mutating func between(_ low: Double, _ high: Double) -> Double { low + (high - low) * unit() }

  /// 0..<1, depending only on `words`: the same draw for the same key, whatever else happens.
  package static func unit(of words: UInt64...) -> Double {
    unit(words.reduce(step) { mix($0 ^ mix($1 &+ step)) })
  }

  private static func unit(_ bits: UInt64) -> Double { Double(bits >> 11) * 0x1p-53 }

  private static func mix(_ value: UInt64) -> UInt64 {
    var bits = value
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return bits ^ bits >> 31
  }
}
