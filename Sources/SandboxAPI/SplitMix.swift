/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and the same on every machine for the same seed.
struct SplitMix: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Self.mix(state)
  }

  /// A number from 0 up to, but not including, 1.
  mutating func nextShare() -> Double { Self.share(next()) }

  /// A share that depends on nothing but `words`: the same draw for the same key, whatever else happens.
  static func share(of words: UInt64...) -> Double {
    share(words.reduce(0x9e37_79b9_7f4a_7c15) { mix($0 ^ mix($1 &+ 0x9e37_79b9_7f4a_7c15)) })
  }

  private static func share(_ bits: UInt64) -> Double { Double(bits >> 11) * 0x1p-53 }

  private static func mix(_ value: UInt64) -> UInt64 {
    var bits = value
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return bits ^ bits >> 31
  }
}
