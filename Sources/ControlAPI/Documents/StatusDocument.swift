package import Registration

/// The answer to `GET /v1/status`: an overview of the daemon. It costs the same with ten keys and with ten million.
package struct StatusDocument: Codable, Equatable, Sendable {
  package enum State: OpenWord {
    case idle
    case working
    /// For the rate limit; `reason` says until when.
    case waiting
    /// By the operator.
    case paused
    /// By the daemon; `hold` says why.
    case holding
    case stopping
    case other(String)

    package static let allCases: [State] = [.idle, .working, .waiting, .paused, .holding, .stopping]

    package var rawValue: String {
      switch self {
      case .idle: "idle"
      case .working: "working"
      case .waiting: "waiting"
      case .paused: "paused"
      case .holding: "holding"
      case .stopping: "stopping"
      case .other(let word): word
      }
    }
  }

  /// Why the daemon itself sends nothing.
  package enum Hold: OpenWord {
    case credentials
    case outage
    /// Every key is refused with the same message.
    case refused
    case disk
    case other(String)

    package static let allCases: [Hold] = [.credentials, .outage, .refused, .disk]

    package var rawValue: String {
      switch self {
      case .credentials: "credentials"
      case .outage: "outage"
      case .refused: "refused"
      case .disk: "disk"
      case .other(let word): word
      }
    }
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
    /// Lists with open keys, or still being read.
    package var active: Int
    /// Lists that are still in `incoming/`, and can be read.
    package var incoming: Int
    /// What is in the spool and cannot be taken as it is: lists that may not be read, or for which there is no space, and
    /// links, FIFOs and folders.
    package var blocked: Int
    /// Lists in `rejected/`.
    package var rejected: Int
    /// Lists whose keys all have an outcome, but whose results are not written yet.
    package var finishing: Int
    /// How many of `blocked` are lists that stay unreadable until an operator acts; null from an earlier version.
    @ExplicitNull package var unreadable: Int?

    package init(
      total: Int = 0, active: Int = 0, incoming: Int = 0, blocked: Int = 0, rejected: Int = 0, finishing: Int = 0,
      unreadable: Int = 0
    ) {
      self.total = total
      self.active = active
      self.incoming = incoming
      self.blocked = blocked
      self.rejected = rejected
      self.finishing = finishing
      _unreadable = ExplicitNull(wrappedValue: unreadable)
    }
  }

  /// Of the open lists together; of everything when none is open.
  package struct Progress: Codable, Equatable, Sendable {
    /// Keys with an outcome.
    package var done: Int
    /// 0…1 of their keys.
    package var fraction: Double
    /// Keys, recently.
    package var perSecond: Double
    @ExplicitNull package var etaSeconds: Int?
    /// What the estimate is based on, for example `rate_limit`.
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
  /// The folder that lists are dropped into; null from an earlier version.
  @ExplicitNull package var spool: String?
  @ExplicitNull package var lastSuccessAt: Timestamp?
  @ExplicitNull package var lastError: LastError?
  /// The largest list that is taken, in bytes. Nil from an earlier version.
  package var maxFileSize: Int?
  /// The number of the newest outcome. They are numbered in the order in which they are recorded. Nil from a daemon that
  /// does not count them.
  package var lastOutcome: Int64?

  private enum CodingKeys: String, CodingKey {
    case version, pid, now, state, reason, keys, lists, progress, requests, workers, hold, since
    case instance, endpoint, spool
    case startedAt = "started_at"
    case lastSuccessAt = "last_success_at"
    case rateLimit = "rate_limit"
    case lastError = "last_error"
    case lastOutcome = "last_outcome"
    case maxFileSize = "max_file_size"
  }

  package init(
    version: String, pid: Int, startedAt: Timestamp, now: Timestamp, state: State, reason: String? = nil,
    keys: Keys = Keys(), lists: Lists = Lists(), progress: Progress = Progress(), rateLimit: RateLimit = RateLimit(),
    requests: Requests = Requests(), workers: Workers = Workers(), hold: Hold? = nil, since: Timestamp? = nil,
    instance: String? = nil, endpoint: String = "", spool: String? = nil, maxFileSize: Int? = nil,
    lastSuccessAt: Timestamp? = nil, lastError: LastError? = nil, lastOutcome: Int64? = nil
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
    _spool = ExplicitNull(wrappedValue: spool)
    self.maxFileSize = maxFileSize
    _lastSuccessAt = ExplicitNull(wrappedValue: lastSuccessAt)
    _lastError = ExplicitNull(wrappedValue: lastError)
    self.lastOutcome = lastOutcome
  }
}
