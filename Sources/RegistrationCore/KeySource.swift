package import RateLimit
package import Registration

/// Where keys are read from.
package protocol KeySource {
  associatedtype Failure: Error

  /// Seconds on the monotonic clock.
  var now: Seconds { get }
  /// Keys that are read at once.
  var pageSize: Int { get }

  /// Seconds until the next key is due that waits for another attempt; nil when none waits.
  mutating func secondsUntilDue() throws(Failure) -> Seconds?
  /// Due keys in their order, `pageSize` at most.
  mutating func dueKeys(_ read: KeyRead) throws(Failure) -> [DueKey]
  /// Pending keys of every list, `pageSize` at most.
  mutating func sampleKeys(_ read: KeyRead) throws(Failure) -> [DueKey]
}

extension KeyRead {
  /// The shortest wait for the next due key, in seconds: one that is due already was in this read, or is in the next.
  private static let shortestWait: Seconds = 0.01

  /// The answer to this read.
  package func page<Source: KeySource>(from source: inout Source) throws(Source.Failure) -> KeyPage {
    // The due time is read first: a key that becomes due between the two reads is then in both, not in neither.
    let nextWait = try source.secondsUntilDue()
    var keys = isSample ? try source.sampleKeys(self) : []
    // If only keys are left that have been tried, they are the canaries.
    if keys.isEmpty { keys = try source.dueKeys(self) }
    let isAll = keys.count < source.pageSize
    let nextDue = (isAll ? nextWait : nil).map { source.now + min(horizon, max(Self.shortestWait, $0)) }
    return KeyPage(keys, isAll: isAll, nextDue: nextDue, generation: generation)
  }
}
