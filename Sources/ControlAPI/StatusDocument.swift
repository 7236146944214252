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
    /// Whatever key is asked about is refused in the same words.
    case refused
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
    /// Lists that cannot be taken in, for a reason that may pass: nobody may read them, the disk is full.
    package var blocked: Int
    /// Lists that lie in `rejected/`.
    package var rejected: Int
    /// Lists whose keys all have an outcome, but whose results are not written yet.
    package var finishing: Int

    package init(
      total: Int = 0, active: Int = 0, incoming: Int = 0, blocked: Int = 0, rejected: Int = 0, finishing: Int = 0
    ) {
      self.total = total
      self.active = active
      self.incoming = incoming
      self.blocked = blocked
      self.rejected = rejected
      self.finishing = finishing
    }
  }

  /// Of the lists that are open, together; of everything while none is.
  package struct Progress: Codable, Equatable, Sendable {
    /// Keys whose outcome is known.
    package var done: Int
    /// 0…1 of their keys.
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
  /// When this state began.
  package var since: Timestamp
  /// The name of the instance; null for the main one.
  @ExplicitNull package var instance: String?
  /// Where requests go.
  package var endpoint: String
  @ExplicitNull package var lastSuccessAt: Timestamp?
  @ExplicitNull package var lastError: LastError?

  private enum CodingKeys: String, CodingKey {
    case version, pid, now, state, reason, keys, lists, progress, requests, workers, hold, since
    case instance, endpoint
    case startedAt = "started_at"
    case lastSuccessAt = "last_success_at"
    case rateLimit = "rate_limit"
    case lastError = "last_error"
  }

  package init(
    version: String, pid: Int, startedAt: Timestamp, now: Timestamp, state: State, reason: String? = nil,
    keys: Keys = Keys(), lists: Lists = Lists(), progress: Progress = Progress(), rateLimit: RateLimit = RateLimit(),
    requests: Requests = Requests(), workers: Workers = Workers(), hold: Hold? = nil, since: Timestamp? = nil,
    instance: String? = nil, endpoint: String = "", lastSuccessAt: Timestamp? = nil, lastError: LastError? = nil
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
    self.since = since ?? now
    _instance = ExplicitNull(wrappedValue: instance)
    self.endpoint = endpoint
    _lastSuccessAt = ExplicitNull(wrappedValue: lastSuccessAt)
    _lastError = ExplicitNull(wrappedValue: lastError)
  }
}
