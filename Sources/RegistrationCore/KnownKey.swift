package import RateLimit
import Registration

/// A key that the current credentials registered within the last day: the best canary.
///
/// Its owner may have revoked it on purpose since, so its age is checked whenever it is used. Keys that other
/// credentials registered say nothing about these.
package struct KnownKey: Sendable {
  private var key: DueKey?
  private var until: Seconds = 0
  /// It was refused and alternates with other keys: it may have gone bad.
  private(set) var isSpared = false

  /// Seconds since its registration after which a key is no longer used as a canary.
  package static let longestAge: Seconds = 86_400

  /// A key that an earlier run registered.
  init(_ known: RegisteredKey?, at moment: Moment) {
    guard let known else { return }
    key = known.key
    // A registration in the future comes from a wrong clock, so its age is unknown.
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

  /// Tried again, it was confirmed.
  mutating func confirmed() { isSpared = false }

  /// The API refused this key: if it is the known one, it was revoked.
  mutating func refused(row: Int64) { if key?.row == row { key = nil } }

  /// It or another canary was refused: they alternate.
  mutating func canaryFailed(wasKnown: Bool) { isSpared = wasKnown }
}
