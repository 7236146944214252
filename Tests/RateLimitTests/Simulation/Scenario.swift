// One simulated situation: a server with its kind of limit and its quirks, neighbours, a network, and the job.

import RateLimit

struct Scenario: Sendable {
  enum Kind: Sendable { case fixed, sliding, bucket }
  enum Rounding: Sendable { case up, down, nearest }
  enum ResetForm: Sendable { case delta, epoch }
  enum RetryAfter: Sendable { case seconds, date }

  /// Others that draw on the same budget, with this share of the limit as their mean demand.
  struct Neighbour: Sendable {
    var share: Double
    var inClumps = false
    var from: Seconds = 0
    var until: Seconds = .infinity
  }

  /// What must hold, as means over the seeds.
  struct Levels: Sendable {
    var efficiency: Double
    /// 429 for each 1,000 successes.
    var throttled: Double
    /// Per cent of the neighbours' requests that are refused because of us.
    var harm: Double = .infinity
    var efficiencyAtMost: Double = .infinity
    var use: Double = 0
    var fairness: Double = 0
    var firstSecond: Double = .infinity
    var refusedSent: Int = .max
    var recovery: Seconds = .infinity
  }

  var id: String
  var title: String
  var kind = Kind.fixed
  var limit = 600
  var period: Seconds = 60
  var changes: [(at: Seconds, limit: Int)] = []
  /// A second limit under another name; replies tell of either.
  var second: Allowance?
  var keys = 4_000
  var workers = 32
  var daemons = 1
  var reserve = PacerSettings.Reserve.automatic
  var assume: Allowance?

  var hasHeaders = true
  var headersDropped = 0.0
  var rounding = Rounding.up
  var resetForm = ResetForm.delta
  var retryAfter: RetryAfter?
  /// A 429 has Retry-After in place of Reset.
  var retryAfterOnly = false
  /// A 429 says its limit in its body.
  var statesLimit = false
  var isAligned = true
  /// Seconds after the edge at which the quota is really back.
  var lag: Seconds = 0
  /// Counts are so old at most.
  var stale: Seconds = 0
  var countsThrottled = false
  var outages: [ClosedRange<Seconds>] = []
  var randomErrors = 0.0
  /// When credentials are refused.
  var refusals: [ClosedRange<Seconds>] = []
  var edgeThrottles = 0.0
  var startsExhausted = false
  var neighbour: Neighbour?
  /// The first window ends so soon; random when nil.
  var firstEdge: Seconds?

  /// Seconds by which the own clock is off.
  var skew: Seconds = 0
  var latency: Seconds = 0.15
  var spikes = 0.005
  var spikeAtMost: Seconds = 4
  var reorder: Seconds = 0
  var horizon: Seconds = 6_000
  /// Runs of which the means are taken; more where a level depends on where in its window an event falls.
  var seeds: UInt64 = 5

  var levels = Levels(efficiency: 0, throttled: .infinity)

  init(_ id: String, _ title: String, _ shape: (inout Scenario) -> Void = { _ in }) {
    self.id = id
    self.title = title
    shape(&self)
  }

  /// The limit at an instant.
  func limit(at instant: Seconds) -> Int {
    changes.last { $0.at <= instant }?.limit ?? limit
  }
}
