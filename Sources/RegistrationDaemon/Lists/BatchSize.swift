/// How many entries go into one transaction of an import.
///
/// The first batch is small, so that work starts at once. Then the size doubles while transactions are short: keys are
/// random, so each transaction writes most pages of their index, and with ten times as many keys each page is written a
/// tenth as often. Outcomes and commands have to wait for the writer, so transactions are shorter while any are waiting.
struct BatchSize {
  private(set) var entries = least

  private static let least = 2_000
  private static let most = 128_000
  /// While others wait for the writer.
  private static let longest: Duration = .milliseconds(250)
  /// While nobody does. A command that comes then may wait this long, so it must be well below the five seconds after which
  /// a command gives up.
  private static let longestAlone: Duration = .seconds(1)

  /// Runs one transaction of this size, and adjusts the size to how long it took.
  ///
  /// - Parameter isAwaited: Whether others wait for the writer; asked after the transaction.
  mutating func adjust<Value>(isAwaited: @autoclosure () -> Bool, _ transaction: () throws -> Value) rethrows -> Value {
    let start = ContinuousClock.now
    let value = try transaction()
    adjust(after: ContinuousClock.now - start, isAwaited: isAwaited())
    return value
  }

  mutating func adjust(after time: Duration, isAwaited: Bool) {
    let longest = isAwaited ? Self.longest : Self.longestAlone
    if time > longest {
      entries = max(Self.least, Int(Double(entries) * (longest / time)))
    } else if time < longest / 3 {
      entries = min(Self.most, entries * 2)
    }
  }
}
