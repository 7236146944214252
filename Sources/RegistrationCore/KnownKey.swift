package import RateLimit
import Registration

/// A key that the present credentials have registered within a day: the best of canaries.
///
/// Its owner may have taken it back on purpose since, so its age counts whenever it is used; and what other credentials
/// registered says nothing of these.
package struct KnownKey: Sendable {
  private var key: DueKey?
  private var until: Seconds = 0
  /// It was refused itself and takes turns with other keys: it may have become bad.
  private(set) var isSpared = false

  /// Seconds since its registration after which a key is no canary.
  package static let longestAge: Seconds = 86_400

  /// A key that an earlier run has registered.
  init(_ known: RegisteredKey?, at moment: Moment) {
    guard let known else { return }
    key = known.key
    // A registration in the future comes from a clock that was wrong: its age is not known.
    let age = moment.wall.seconds(since: known.at)
    until = age >= 0 ? moment.now + Self.longestAge - age : -.infinity
  }

  /// The key, while it is young enough.
  func current(at now: Seconds) -> DueKey? { now < until ? key : nil }

  mutating func registered(_ key: DueKey, at now: Seconds) {
    self.key = key
    until = now + Self.longestAge
    isSpared = false
  }

  /// Asked again, it was answered well.
  mutating func confirmed() { isSpared = false }

  /// Somebody has taken it away.
  mutating func forget() { key = nil }

  /// It or another canary was refused: they take turns.
  mutating func canaryFailed(wasKnown: Bool) { isSpared = wasKnown }
}
