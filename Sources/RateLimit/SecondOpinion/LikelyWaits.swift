// Whether a Retry-After is plausible. If it is longer than the known limits explain, the next refusal must repeat it:
// finding out costs a short pause and one more refusal. Where no limit is known, it is obeyed at once.

struct LikelyWaits: Sendable {
  /// The longest wait, in seconds, that was repeated.
  private var repeated: Seconds = 0
  /// The last one was set aside, and no request has passed since.
  private var isDoubted = false

  /// Seconds by which a wait may exceed what is expected. Both may have been rounded up.
  private static let longer: Seconds = 2
  /// By this factor a wait may exceed the longest that was repeated.
  private static let alike = 1.25

  mutating func passed() { isDoubted = false }

  /// - Parameter expected: Seconds after which the limits that are known would let a request pass, nil if none is known.
  mutating func isLikely(_ wait: Seconds, expected: Seconds?) -> Bool {
    guard let expected, wait > max(expected + Self.longer, Self.alike * repeated) else { return true }
    guard isDoubted else {
      isDoubted = true
      return false
    }
    repeated = max(repeated, wait)
    return true
  }
}
