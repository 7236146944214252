package import Registration

/// The daemon's numbers at one moment, and the names under which they are published.
package struct MetricsSnapshot: Sendable {
  /// Durations by size. `counts` has one more entry than `bounds`: the last one is for everything above them.
  package struct Histogram: Sendable {
    /// Seconds, ascending. A duration goes into the first range whose bound it does not exceed.
    package var bounds: [Double]
    /// Per range, not cumulative.
    package var counts: [Int]
    /// Seconds.
    package var sum: Double

    package init(bounds: [Double], counts: [Int], sum: Double) {
      self.bounds = bounds
      self.counts = counts
      self.sum = sum
    }
  }

  /// What became of a list that was taken from the spool.
  package enum ListResult: String, Sendable, CaseIterable {
    case imported, rejected
  }

  /// Where a list is.
  package enum ListState: String, Sendable, CaseIterable {
    case active, blocked, done, incoming, rejected
  }

  package var keys: [KeyDocument.State: Int]
  /// By status code; `none` without a reply.
  package var requests: [String: Int]
  package var durations: Histogram?
  package var throttled: Int
  /// Requests without a reply, whether they were sent or not.
  package var transportErrors = 0
  package var rateLimit: Int?
  package var rateLimitRemaining: Int?
  package var rateLimitOurs: Int?
  package var rateLimitReserved: Int?
  package var rateLimitResetSeconds: Double?
  /// Seconds spent waiting, by reason.
  package var waitSeconds: [String: Double]
  package var lists: [ListResult: Int]
  package var hold: StatusDocument.Hold?
  package var queueBytes: Int
  package var version: String
  package var state: StatusDocument.State?
  package var stateSince: Timestamp?
  package var lastSuccessAt: Timestamp?
  /// When the oldest list with open keys arrived.
  package var oldestPendingAt: Timestamp?
  package var listStates: [ListState: Int] = [:]
  package var process: ProcessUsage?

  package init(
    keys: [KeyDocument.State: Int] = [:], requests: [String: Int] = [:], durations: Histogram? = nil,
    throttled: Int = 0, rateLimit: Int? = nil, rateLimitRemaining: Int? = nil, rateLimitResetSeconds: Double? = nil,
    waitSeconds: [String: Double] = [:], lists: [ListResult: Int] = [:], hold: StatusDocument.Hold? = nil,
    queueBytes: Int = 0, version: String
  ) {
    self.keys = keys
    self.requests = requests
    self.durations = durations
    self.throttled = throttled
    self.rateLimit = rateLimit
    self.rateLimitRemaining = rateLimitRemaining
    self.rateLimitResetSeconds = rateLimitResetSeconds
    self.waitSeconds = waitSeconds
    self.lists = lists
    self.hold = hold
    self.queueBytes = queueBytes
    self.version = version
  }

  /// Unknown values have no sample.
  func text(_ form: OpenMetricsText.Form) -> String {
    var text = OpenMetricsText(form)
    text.family("keyreg_keys", .gauge, help: "Keys by state.")
    for state in KeyDocument.State.allCases { text.sample(keys[state] ?? 0, labels: ["state": state.rawValue]) }

    text.family("keyreg_requests", .counter, help: "Requests to the API by status code, or by failure without a reply.")
    for (code, count) in requests.sorted(by: { $0.key < $1.key }) {
      text.sample(count, suffix: "_total", labels: ["code": code])
    }

    text.family(
      "keyreg_request_duration_seconds", .histogram, unit: "seconds", help: "Time from sending a request to its reply.")
    if let durations { text.histogram(durations) }

    text.family("keyreg_throttled", .counter, help: "Requests that were answered with 429.")
    text.sample(throttled, suffix: "_total")

    text.family("keyreg_transport_errors", .counter, help: "Requests that got no reply, whether they were sent or not.")
    text.sample(transportErrors, suffix: "_total")

    text.family("keyreg_rate_limit_limit", .gauge, help: "Requests that the API allows in one period.")
    if let rateLimit { text.sample(rateLimit) }
    text.family("keyreg_rate_limit_remaining", .gauge, help: "Requests that are left in this period.")
    if let rateLimitRemaining { text.sample(rateLimitRemaining) }
    text.family("keyreg_rate_limit_ours", .gauge, help: "Requests of this period that were sent by this daemon.")
    if let rateLimitOurs { text.sample(rateLimitOurs) }
    text.family("keyreg_rate_limit_reserved", .gauge, help: "Requests of those remaining that are left to others.")
    if let rateLimitReserved { text.sample(rateLimitReserved) }
    text.family("keyreg_rate_limit_reset_seconds", .gauge, unit: "seconds", help: "Time until the limit resets.")
    if let rateLimitResetSeconds { text.sample(rateLimitResetSeconds) }

    text.family("keyreg_wait_seconds", .counter, unit: "seconds", help: "Time spent sending nothing, by reason.")
    for (reason, seconds) in waitSeconds.sorted(by: { $0.key < $1.key }) {
      text.sample(seconds, suffix: "_total", labels: ["reason": reason])
    }

    text.family("keyreg_lists_total", .unknown, help: "Lists taken from the spool by result.")
    for result in ListResult.allCases { text.sample(lists[result] ?? 0, labels: ["result": result.rawValue]) }
    text.family("keyreg_lists", .gauge, help: "Lists by where they are.")
    for state in ListState.allCases { text.sample(listStates[state] ?? 0, labels: ["state": state.rawValue]) }

    text.family("keyreg_state", .gauge, help: "1 for the state that the daemon is in.")
    for candidate in StatusDocument.State.allCases {
      text.sample(candidate == state ? 1 : 0, labels: ["state": candidate.rawValue])
    }
    text.moment("keyreg_state_since_timestamp_seconds", stateSince, help: "When that state began.")
    text.moment("keyreg_last_success_timestamp_seconds", lastSuccessAt, help: "When a key was last registered.")
    text.moment(
      "keyreg_oldest_pending_timestamp_seconds", oldestPendingAt, help: "When the oldest list with open keys arrived.")

    text.family("keyreg_hold", .gauge, help: "1 while the daemon holds for the reason.")
    for reason in StatusDocument.Hold.allCases {
      text.sample(reason == hold ? 1 : 0, labels: ["reason": reason.rawValue])
    }

    text.family("keyreg_queue_bytes", .gauge, unit: "bytes", help: "Size of the queue on disk.")
    text.sample(queueBytes)

    process?.write(to: &text)

    text.family("keyreg_build", .info, help: "The version that is running.")
    text.sample(1, suffix: "_info", labels: ["version": version])
    return text.finished()
  }
}
