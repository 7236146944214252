extension Int {
  /// The whole part of a number that may come from a file, a header or a database, within ±10¹⁵, so that a few of them can
  /// be added; zero for what is no number. `Int(_:)` traps on all of that.
  init(clamping value: Double) {
    self = value.isNaN ? 0 : Int(Swift.min(Swift.max(value, -1e15), 1e15))
  }
}
