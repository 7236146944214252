// One simulated scenario: a server with its kind of limit and its quirks, neighbours, a network, and the job.

package import RateLimit

package struct Scenario: Sendable {
  package enum Kind: Sendable {
    case fixed, sliding, bucket
    /// Two windows: the last one counts in proportion to how much of it still overlaps.
    case counter
    /// Windows that begin with the first request after the last one is over.
    case anchored
    /// A bucket of whole tokens: each request loses the part of a token that has come back since the last.
    case truncating
  }
  package enum Rounding: Sendable { case up, down, nearest }
  package enum ResetForm: Sendable { case delta, epoch }
  package enum RetryAfter: Sendable { case seconds, date }

  /// Other clients that share the budget, with this share of the limit as their mean demand.
  package struct Neighbour: Sendable {
    package var share: Double
    package var inClumps = false
    package var from: Seconds = 0
    package var until: Seconds = .infinity

    package init(share: Double, inClumps: Bool = false, from: Seconds = 0, until: Seconds = .infinity) {
      self.share = share
      self.inClumps = inClumps
      self.from = from
      self.until = until
    }
  }

  /// The required levels, as means over the seeds.
  package struct Levels: Sendable {
    package var efficiency: Double
    /// 429 for each 1,000 successes.
    package var throttled: Double
    /// Per cent of the neighbours' requests that are refused because of us.
    package var harm: Double = .infinity
    package var efficiencyAtMost: Double = .infinity
    package var use: Double = 0
    package var fairness: Double = 0
    package var firstSecond: Double = .infinity
    package var refusedSent: Int = .max
    package var recovery: Seconds = .infinity

    package init(
      efficiency: Double, throttled: Double, harm: Double = .infinity, efficiencyAtMost: Double = .infinity,
      use: Double = 0, fairness: Double = 0, firstSecond: Double = .infinity, refusedSent: Int = .max,
      recovery: Seconds = .infinity
    ) {
      self.efficiency = efficiency
      self.throttled = throttled
      self.harm = harm
      self.efficiencyAtMost = efficiencyAtMost
      self.use = use
      self.fairness = fairness
      self.firstSecond = firstSecond
      self.refusedSent = refusedSent
      self.recovery = recovery
    }
  }

  package var id: String
  package var title: String
  package var kind = Kind.fixed
  package var limit = 600
  package var period: Seconds = 60
  package var changes: [(at: Seconds, limit: Int)] = []
  /// A second limit under another name; replies mention either of them.
  package var second: Allowance?
  package var keys = 4_000
  package var workers = 32
  package var daemons = 1
  package var reserve = PacerSettings.Reserve.automatic
  package var assume: Allowance?

  package var hasHeaders = true
  package var tellsLimit = true
  /// Replies show what is left.
  package var tellsCount = true
  /// The limit's name in the replies.
  package var name: String?
  package var headersDropped = 0.0
  /// Replies name the period.
  package var tellsPeriod = true
  /// Replies have a Reset.
  package var tellsReset = true
  /// The Reset of one reply, counted from 1, as a proxy in trouble may write it.
  package var oddReset: (reply: Int, seconds: Seconds)?
  /// One reply, counted from 1, that is not like the others.
  package var odd: (reply: Int, OddReply)?
  package var rounding = Rounding.up
  package var resetForm = ResetForm.delta
  package var retryAfter: RetryAfter?
  /// A 429 always has this Retry-After, whenever the quota comes back.
  package var retryAfterAlways: Seconds?
  /// A 429 has Retry-After in place of Reset.
  package var retryAfterOnly = false
  /// A 429 states its limit in its body.
  package var statesLimit = false
  package var isAligned = true
  /// Seconds after the edge at which the quota is really back.
  package var lag: Seconds = 0
  /// The largest age of the counts.
  package var stale: Seconds = 0
  package var countsThrottled = false
  package var outages: [ClosedRange<Seconds>] = []
  package var randomErrors = 0.0
  /// When credentials are refused.
  package var refusals: [ClosedRange<Seconds>] = []
  package var edgeThrottles = 0.0
  package var startsExhausted = false
  package var neighbour: Neighbour?
  /// When the first window ends; random when nil.
  package var firstEdge: Seconds?

  /// Seconds by which our clock is off.
  package var skew: Seconds = 0
  package var latency: Seconds = 0.15
  package var spikes = 0.005
  package var spikeAtMost: Seconds = 4
  package var reorder: Seconds = 0
  package var horizon: Seconds = 6_000
  /// Runs that are averaged; more where a level depends on when in its window an event happens.
  package var seeds: UInt64 = 5

  package var levels = Levels(efficiency: 0, throttled: .infinity)

  package init(_ id: String, _ title: String, _ shape: (inout Scenario) -> Void = { _ in }) {
    self.id = id
    self.title = title
    shape(&self)
  }

  /// The limit at an instant.
  package func limit(at instant: Seconds) -> Int {
    changes.last { $0.at <= instant }?.limit ?? limit
  }
}
