package import Registration

/// How a server counts requests against its limit, as a value: time is passed in.
///
/// Refused requests cost nothing. If time goes backwards, it counts as no time having passed.
package struct ServerLimit: Sendable {
  package enum Algorithm: String, CaseIterable, Sendable {
    /// Windows that begin at multiples of the period since 1970-01-01T00:00:00Z, like the real API's.
    case fixed
    /// At most the count in any stretch of one period.
    case sliding
    /// A bucket of the count's size, full at first, that fills evenly by one count a period.
    case bucket
  }

  /// What the server says about the limit after counting the current request.
  package struct Reading: Equatable, Sendable {
    package var admitted: Bool
    package var quota: Quota
    /// Requests that would still be admitted at this moment.
    package var remaining: Int
    /// Whole seconds, 1…period: to the next window (fixed), until the oldest request is forgotten (sliding), or until
    /// the bucket is full (bucket).
    package var resetSeconds: Int
    /// Whole seconds, 1…period, after which at least one more request is admitted.
    package var retrySeconds: Int
  }

  package let quota: Quota
  private var now = Int64.min
  private var meter: Meter

  package init(_ quota: Quota, algorithm: Algorithm) {
    self.quota = quota
    meter =
      switch algorithm {
      case .fixed: .fixed(FixedWindow())
      case .sliding: .sliding(SlidingLog())
      case .bucket: .bucket(TokenBucket())
      }
  }

  /// Counts one request that comes at `time`.
  package mutating func admit(at time: Timestamp) -> Reading {
    let admitted = take(1, at: time) == 1
    return read(admitted: admitted)
  }

  /// The answer of `admit` to a request that finds nothing left, without counting one.
  package mutating func refuse(at time: Timestamp) -> Reading {
    _ = take(0, at: time)
    var reading = read(admitted: false)
    reading.remaining = 0
    return reading
  }

  /// Takes up to `wanted` requests at `time` for another client, and returns how many were available.
  @discardableResult
  mutating func take(_ wanted: Int, at time: Timestamp) -> Int {
    now = max(now, time.milliseconds)
    switch meter {
    case .fixed(var window):
      let taken = window.take(wanted, of: quota, at: now)
      meter = .fixed(window)
      return taken
    case .sliding(var log):
      // The log is moved out first so that it is changed in place and never copied.
      meter = .fixed(FixedWindow())
      let taken = log.take(wanted, of: quota, at: now)
      meter = .sliding(log)
      return taken
    case .bucket(var bucket):
      let taken = bucket.take(wanted, of: quota, at: now)
      meter = .bucket(bucket)
      return taken
    }
  }

  private func read(admitted: Bool) -> Reading {
    let (remaining, reset, retry) =
      switch meter {
      case .fixed(let window): window.read(quota, at: now)
      case .sliding(let log): log.read(quota, at: now)
      case .bucket(let bucket): bucket.read(quota, at: now)
      }
    let seconds = { (milliseconds: Int64) in min(max(Int((milliseconds + 999) / 1000), 1), quota.periodSeconds) }
    return Reading(
      admitted: admitted, quota: quota, remaining: remaining, resetSeconds: seconds(reset),
      retrySeconds: remaining > 0 ? 1 : seconds(retry))
  }

  private enum Meter {
    case fixed(FixedWindow)
    case sliding(SlidingLog)
    case bucket(TokenBucket)
  }
}

/// What is left, then the milliseconds to the reset, then those until one more request is admitted.
private typealias Level = (remaining: Int, reset: Int64, retry: Int64)

private struct FixedWindow {
  private var start = Int64.min
  private var used = 0

  mutating func take(_ wanted: Int, of quota: Quota, at now: Int64) -> Int {
    let current = now - now % quota.periodMilliseconds
    if current != start {
      start = current
      used = 0
    }
    let taken = min(wanted, quota.count - used)
    used += taken
    return taken
  }

  func read(_ quota: Quota, at now: Int64) -> Level {
    let left = start + quota.periodMilliseconds - now
    return (quota.count - used, left, left)
  }
}

private struct SlidingLog {
  /// Requests of one millisecond are one entry, so the log never has more entries than the period has milliseconds.
  private var entries: [(at: Int64, count: Int)] = []
  /// The start of the log: earlier entries are forgotten, and removed once they are the larger half.
  private var first = 0
  private var used = 0

  mutating func take(_ wanted: Int, of quota: Quota, at now: Int64) -> Int {
    while first < entries.count, entries[first].at <= now - quota.periodMilliseconds {
      used -= entries[first].count
      first += 1
    }
    if first > entries.count / 2 {
      entries.removeFirst(first)
      first = 0
    }
    let taken = min(wanted, quota.count - used)
    guard taken > 0 else { return 0 }
    used += taken
    if first < entries.count, entries[entries.count - 1].at == now {
      entries[entries.count - 1].count += taken
    } else {
      entries.append((now, taken))
    }
    return taken
  }

  func read(_ quota: Quota, at now: Int64) -> Level {
    let left = first < entries.count ? entries[first].at + quota.periodMilliseconds - now : 0
    return (quota.count - used, left, left)
  }
}

private struct TokenBucket {
  /// What is missing from a full bucket, in tokens × milliseconds of the period, so that filling is exact in integers:
  /// one request costs a whole period, and each millisecond gives back the count. At most 10⁹ × 86.4 × 10⁶ < 2⁶³.
  private var missing: Int64 = 0
  private var at = Int64.min

  mutating func take(_ wanted: Int, of quota: Quota, at now: Int64) -> Int {
    let period = quota.periodMilliseconds
    // A whole period fills any bucket; asking for no more keeps the product in range.
    let elapsed = at == .min ? period : min(now - at, period)
    missing = max(0, missing - elapsed * Int64(quota.count))
    at = now
    let taken = min(wanted, quota.count - Int((missing + period - 1) / period))
    missing += Int64(taken) * period
    return taken
  }

  func read(_ quota: Quota, at now: Int64) -> Level {
    let (period, count) = (quota.periodMilliseconds, Int64(quota.count))
    let remaining = quota.count - Int((missing + period - 1) / period)
    let untilFull = (missing + count - 1) / count
    let untilOne = (max(0, missing - (count - 1) * period) + count - 1) / count
    return (remaining, untilFull, untilOne)
  }
}
