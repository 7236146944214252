/// How many entries go into one transaction of an import.
///
/// The first batch is small, so that work starts at once. Then the size doubles while transactions are short: keys are random,
/// and each transaction writes most pages of their index, so that with ten times as many keys a page is written a tenth as
/// often. Outcomes and commands wait for the writer meanwhile, so while there are any, transactions are shorter.
struct BatchSize {
  private(set) var entries = least

  private static let least = 2_000
  private static let most = 128_000
  /// While others wait for the writer.
  private static let longest: Duration = .milliseconds(250)
  /// While nobody does. A command that comes then has to wait for so long, which must be well below the five seconds after
  /// which it gives up.
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
