package import Registration

/// The answer to `GET /v1/status`: all that one look at the daemon should tell. It costs the same with ten keys and with
/// ten million.
package struct StatusDocument: Codable, Equatable, Sendable {
  package enum State: String, Codable, Sendable, CaseIterable {
    case idle
    case working
    /// For the rate limit; `reason` says until when.
    case waiting
    /// By the operator.
    case paused
    /// By the daemon; `hold` says why.
    case holding
    case stopping
  }

  /// Why the daemon sends nothing of its own accord.
  package enum Hold: String, Codable, Sendable, CaseIterable {
    case credentials
    case outage
    case disk
  }

  /// `total` is the sum of the others.
  package struct Keys: Codable, Equatable, Sendable {
    package var pending: Int
    package var inFlight: Int
    package var retrying: Int
    package var registered: Int
    package var failed: Int
    package var cancelled: Int
    package private(set) var total: Int

    private enum CodingKeys: String, CodingKey {
      case pending, retrying, registered, failed, cancelled, total
      case inFlight = "in_flight"
    }

    package init(
      pending: Int = 0, inFlight: Int = 0, retrying: Int = 0, registered: Int = 0, failed: Int = 0, cancelled: Int = 0
    ) {
      self.pending = pending
      self.inFlight = inFlight
      self.retrying = retrying
      self.registered = registered
      self.failed = failed
      self.cancelled = cancelled
      total = pending + inFlight + retrying + registered + failed + cancelled
    }
  }

  package struct Lists: Codable, Equatable, Sendable {
    package var total: Int
    /// With keys that are still to be worked on, or still being read.
    package var active: Int
    /// Lists that lie in `incoming/` still.
    package var incoming: Int

    package init(total: Int = 0, active: Int = 0, incoming: Int = 0) {
      self.total = total
      self.active = active
      self.incoming = incoming
    }
  }

  package struct Progress: Codable, Equatable, Sendable {
    /// Keys whose outcome is known.
    package var done: Int
    /// 0…1 of all keys.
    package var fraction: Double
    /// Keys, over the last while.
    package var perSecond: Double
    @ExplicitNull package var etaSeconds: Int?
    /// What the estimate rests on, e.g. `rate_limit`.
    @ExplicitNull package var etaFrom: String?

    private enum CodingKeys: String, CodingKey {
      case done, fraction
      case perSecond = "per_second"
      case etaSeconds = "eta_seconds"
      case etaFrom = "eta_from"
    }

    package init(
      done: Int = 0, fraction: Double = 0, perSecond: Double = 0, etaSeconds: Int? = nil, etaFrom: String? = nil
    ) {
      self.done = done
      self.fraction = fraction
      self.perSecond = perSecond
      _etaSeconds = ExplicitNull(wrappedValue: etaSeconds)
      _etaFrom = ExplicitNull(wrappedValue: etaFrom)
    }
  }

  /// What is known of the limit. Null is: not known.
  package struct RateLimit: Codable, Equatable, Sendable {
    @ExplicitNull package var name: String?
    /// Requests in one period.
    @ExplicitNull package var limit: Int?
    @ExplicitNull package var periodSeconds: Int?
    @ExplicitNull package var remaining: Int?
    @ExplicitNull package var resetsInSeconds: Int?
    /// Requests that are left to others.
    @ExplicitNull package var reserved: Int?
    /// Where the numbers come from, e.g. `headers`.
    @ExplicitNull package var source: String?
    /// Until the next request may be sent; 0 when one may be sent now.
    @ExplicitNull package var waitingSeconds: Double?

    private enum CodingKeys: String, CodingKey {
      case name, limit, remaining, reserved, source
      case periodSeconds = "period_seconds"
      case resetsInSeconds = "resets_in_seconds"
      case waitingSeconds = "waiting_seconds"
    }

    package init(
      name: String? = nil, limit: Int? = nil, periodSeconds: Int? = nil, remaining: Int? = nil,
      resetsInSeconds: Int? = nil, reserved: Int? = nil, source: String? = nil, waitingSeconds: Double? = nil
    ) {
      _name = ExplicitNull(wrappedValue: name)
      _limit = ExplicitNull(wrappedValue: limit)
      _periodSeconds = ExplicitNull(wrappedValue: periodSeconds)
      _remaining = ExplicitNull(wrappedValue: remaining)
      _resetsInSeconds = ExplicitNull(wrappedValue: resetsInSeconds)
      _reserved = ExplicitNull(wrappedValue: reserved)
      _source = ExplicitNull(wrappedValue: source)
      _waitingSeconds = ExplicitNull(wrappedValue: waitingSeconds)
    }
  }

  /// Counts since the daemon was started.
  package struct Requests: Codable, Equatable, Sendable {
    package var sent: Int
    package var created: Int
    package var throttled: Int
    package var clientErrors: Int
    package var serverErrors: Int
    package var transportErrors: Int
    package var latency: Latency

    private enum CodingKeys: String, CodingKey {
      case sent, created, throttled
      case clientErrors = "client_errors"
      case serverErrors = "server_errors"
      case transportErrors = "transport_errors"
      case latency = "latency_ms"
    }

    package init(
      sent: Int = 0, created: Int = 0, throttled: Int = 0, clientErrors: Int = 0, serverErrors: Int = 0,
      transportErrors: Int = 0, latency: Latency = Latency()
    ) {
      self.sent = sent
      self.created = created
      self.throttled = throttled
      self.clientErrors = clientErrors
      self.serverErrors = serverErrors
      self.transportErrors = transportErrors
      self.latency = latency
    }
  }

  /// Milliseconds from request to reply; null before the first reply.
  package struct Latency: Codable, Equatable, Sendable {
    @ExplicitNull package var p50: Int?
    @ExplicitNull package var p90: Int?
    @ExplicitNull package var p99: Int?
    @ExplicitNull package var max: Int?

    package init(p50: Int? = nil, p90: Int? = nil, p99: Int? = nil, max: Int? = nil) {
      _p50 = ExplicitNull(wrappedValue: p50)
      _p90 = ExplicitNull(wrappedValue: p90)
      _p99 = ExplicitNull(wrappedValue: p99)
      _max = ExplicitNull(wrappedValue: max)
    }
  }

  package struct Workers: Codable, Equatable, Sendable {
    package var total: Int
    package var busy: Int

    package init(total: Int = 0, busy: Int = 0) {
      self.total = total
      self.busy = busy
    }
  }

  package struct LastError: Codable, Equatable, Sendable {
    package var at: Timestamp
    package var message: String

    package init(at: Timestamp, message: String) {
      self.at = at
      self.message = message
    }
  }

  package var version: String
  package var pid: Int
  package var startedAt: Timestamp
  package var now: Timestamp
  package var state: State
  @ExplicitNull package var reason: String?
  package var keys: Keys
  package var lists: Lists
  package var progress: Progress
  package var rateLimit: RateLimit
  package var requests: Requests
  package var workers: Workers
  @ExplicitNull package var hold: Hold?
  @ExplicitNull package var lastError: LastError?

  private enum CodingKeys: String, CodingKey {
    case version, pid, now, state, reason, keys, lists, progress, requests, workers, hold
    case startedAt = "started_at"
    case rateLimit = "rate_limit"
    case lastError = "last_error"
  }

  package init(
    version: String, pid: Int, startedAt: Timestamp, now: Timestamp, state: State, reason: String? = nil,
    keys: Keys = Keys(), lists: Lists = Lists(), progress: Progress = Progress(), rateLimit: RateLimit = RateLimit(),
    requests: Requests = Requests(), workers: Workers = Workers(), hold: Hold? = nil, lastError: LastError? = nil
  ) {
    self.version = version
    self.pid = pid
    self.startedAt = startedAt
    self.now = now
    self.state = state
    _reason = ExplicitNull(wrappedValue: reason)
    self.keys = keys
    self.lists = lists
    self.progress = progress
    self.rateLimit = rateLimit
    self.requests = requests
    self.workers = workers
    _hold = ExplicitNull(wrappedValue: hold)
    _lastError = ExplicitNull(wrappedValue: lastError)
  }
}
