// The named scenarios and what the pacer must reach in each.

import RateLimit

extension Scenario {
  /// S01…S35: every kind of limit and every quirk of replies, each alone.
  package static let all: [Scenario] = [
    Scenario("S01", "fixed 600/60 s, headers, alone") {
      $0.levels = Levels(efficiency: 0.99, throttled: 0, use: 0.995, firstSecond: 30)
    },
    Scenario("S02", "no headers at all") {
      $0.reserve = .share(0)
      $0.hasHeaders = false
      $0.levels = Levels(efficiency: 0.93, throttled: 10)
    },
    Scenario("S03", "no headers, 429 has Retry-After in seconds") {
      $0.reserve = .share(0)
      $0.hasHeaders = false
      $0.retryAfter = .seconds
      $0.levels = Levels(efficiency: 0.95, throttled: 8)
    },
    Scenario("S04", "sliding log, Reset is the oldest expiry") {
      $0.kind = .sliding
      $0.levels = Levels(efficiency: 0.96, throttled: 0)
    },
    Scenario("S05", "token bucket 100, 10/s, Reset is the time to full") {
      ($0.kind, $0.limit, $0.period, $0.keys) = (.bucket, 100, 10, 2_000)
      $0.levels = Levels(efficiency: 0.98, throttled: 1)
    },
    Scenario("S06", "neighbour takes 30 %, Poisson") {
      $0.neighbour = Neighbour(share: 0.3)
      $0.levels = Levels(efficiency: 0.98, throttled: 0.5, harm: 1, efficiencyAtMost: 1.03)
    },
    Scenario("S07", "neighbour takes 50 %, Poisson") {
      $0.neighbour = Neighbour(share: 0.5)
      $0.keys = 3_000
      $0.levels = Levels(efficiency: 0.98, throttled: 1, harm: 2.5, efficiencyAtMost: 1.03)
    },
    Scenario("S08", "neighbour takes 40 % in clumps") {
      $0.neighbour = Neighbour(share: 0.4, inClumps: true)
      $0.keys = 3_000
      $0.levels = Levels(efficiency: 0.95, throttled: 2, harm: 18)
    },
    Scenario("S09", "neighbour comes and goes") {
      $0.neighbour = Neighbour(share: 0.5, from: 150, until: 330)
      $0.seeds = 20
      $0.levels = Levels(efficiency: 0.98, throttled: 0.5, harm: 4)
    },
    Scenario("S10", "limit 600, 200, 900 in mid-window") {
      $0.changes = [(130, 200), (310, 900)]
      $0.levels = Levels(efficiency: 0.85, throttled: 1)
    },
    Scenario("S11", "6 % of calls take 1…8 s more") {
      ($0.spikes, $0.spikeAtMost) = (0.06, 8)
      $0.levels = Levels(efficiency: 0.97, throttled: 0)
    },
    Scenario("S12", "clock 300 s off, Reset since 1970") {
      ($0.resetForm, $0.skew) = (.epoch, -300)
      $0.levels = Levels(efficiency: 0.99, throttled: 0)
    },
    Scenario("S13", "429 has only Retry-After in seconds") {
      ($0.retryAfter, $0.retryAfterOnly) = (.seconds, true)
      $0.neighbour = Neighbour(share: 0.3)
      $0.levels = Levels(efficiency: 0.98, throttled: 0.5, harm: 1)
    },
    Scenario("S14", "429 has only Retry-After as a date, clock 120 s off") {
      ($0.retryAfter, $0.retryAfterOnly, $0.skew) = (.date, true, 120)
      $0.neighbour = Neighbour(share: 0.3)
      $0.levels = Levels(efficiency: 0.98, throttled: 0.5, harm: 1)
    },
    Scenario("S15", "25 s of 503 and 1 % of 500") {
      ($0.outages, $0.randomErrors) = ([95...120], 0.01)
      $0.seeds = 20
      $0.levels = Levels(efficiency: 0.98, throttled: 0, recovery: 8)
    },
    Scenario("S16", "replies overtake each other by up to 2 s") {
      $0.reorder = 2
      $0.levels = Levels(efficiency: 0.97, throttled: 0)
    },
    Scenario("S17", "counts up to 2 s old") {
      $0.stale = 2
      $0.levels = Levels(efficiency: 0.97, throttled: 0.5)
    },
    Scenario("S18", "limit raised in mid-window") {
      $0.changes = [(90, 1_200)]
      $0.keys = 5_800
      $0.levels = Levels(efficiency: 0.97, throttled: 0)
    },
    Scenario("S19", "limit 1 in 5 s") {
      ($0.limit, $0.period, $0.keys) = (1, 5, 40)
      $0.levels = Levels(efficiency: 0.98, throttled: 0)
    },
    Scenario("S20", "limit 1,000,000") {
      ($0.limit, $0.keys) = (1_000_000, 20_000)
      $0.levels = Levels(efficiency: 0.97, throttled: 0)
    },
    Scenario("S21", "100/10 s") {
      ($0.limit, $0.period, $0.keys) = (100, 10, 1_950)
      $0.levels = Levels(efficiency: 0.97, throttled: 0)
    },
    Scenario("S22", "10/300 s") {
      ($0.limit, $0.period, $0.keys) = (10, 300, 60)
      $0.levels = Levels(efficiency: 0.99, throttled: 0)
    },
    Scenario("S23", "Reset rounded down") {
      $0.rounding = .down
      $0.levels = Levels(efficiency: 0.99, throttled: 0)
    },
    Scenario("S24", "quota back 0.7 s late") {
      $0.lag = 0.7
      $0.levels = Levels(efficiency: 0.99, throttled: 1)
    },
    Scenario("S25", "429s count against the budget, neighbour 30 %") {
      $0.countsThrottled = true
      $0.neighbour = Neighbour(share: 0.3)
      $0.levels = Levels(efficiency: 0.98, throttled: 0.5, harm: 1, efficiencyAtMost: 1.03)
    },
    Scenario("S26", "two daemons, one budget") {
      $0.daemons = 2
      $0.levels = Levels(efficiency: 0.97, throttled: 0.5, fairness: 0.95)
    },
    Scenario("S27", "1 % of 429 from the edge, without headers") {
      $0.edgeThrottles = 0.01
      $0.levels = Levels(efficiency: 0.98, throttled: 10.5)
    },
    Scenario("S28", "20 % of replies without headers") {
      $0.headersDropped = 0.2
      $0.levels = Levels(efficiency: 0.99, throttled: 0.2)
    },
    Scenario("S29", "windows not calendar aligned") {
      $0.isAligned = false
      $0.levels = Levels(efficiency: 0.95, throttled: 0)
    },
    Scenario("S30", "credentials refused for 120 s") {
      $0.refusals = [100...220]
      // Sixteen may be in flight; three canaries show that all keys are affected, and seven probes are sent in two
      // minutes. Most runs send 10 to 12.
      $0.levels = Levels(efficiency: 0.90, throttled: 0, refusedSent: 16)
    },
    Scenario("S31", "no headers, limit 600, 200, 900") {
      $0.reserve = .share(0)
      $0.hasHeaders = false
      $0.changes = [(130, 200), (400, 900)]
      // The proposal reaches 0.57: a raised limit is now found again within a few windows.
      $0.levels = Levels(efficiency: 0.75, throttled: 12)
    },
    Scenario("S32", "no headers, neighbour 30 %") {
      $0.hasHeaders = false
      $0.neighbour = Neighbour(share: 0.3)
      ($0.keys, $0.seeds) = (3_000, 3)
      $0.levels = Levels(efficiency: 0.95, throttled: 12, harm: 50)
    },
    Scenario("S33", "no headers, sliding log") {
      $0.reserve = .share(0)
      ($0.hasHeaders, $0.kind) = (false, .sliding)
      $0.levels = Levels(efficiency: 0.8, throttled: 8)
    },
    Scenario("S34", "no headers, token bucket 100, 10/s") {
      ($0.hasHeaders, $0.kind, $0.limit, $0.period, $0.keys) = (false, .bucket, 100, 10, 2_000)
      $0.levels = Levels(efficiency: 0.98, throttled: 15)
    },
    Scenario("S35", "start in an exhausted window") {
      $0.startsExhausted = true
      $0.levels = Levels(efficiency: 0.99, throttled: 0.5)
    },
  ]

  /// Scenarios beyond the proposal's list.
  package static let further: [Scenario] = [
    Scenario("T01", "no headers, 429 states its limit") {
      ($0.hasHeaders, $0.statesLimit) = (false, true)
      $0.levels = Levels(efficiency: 0.95, throttled: 8)
    },
    Scenario("T02", "as S31, 429 states its limit") {
      ($0.hasHeaders, $0.statesLimit) = (false, true)
      $0.changes = [(130, 200), (400, 900)]
      $0.levels = Levels(efficiency: 0.75, throttled: 12)
    },
    Scenario("T03", "first window ends in 0.2 s") {
      $0.firstEdge = 0.2
      $0.levels = Levels(efficiency: 0.98, throttled: 0)
    },
    Scenario("T04", "two limits by name: 100/10 s and 400/60 s") {
      ($0.limit, $0.period, $0.keys) = (100, 10, 1_900)
      $0.second = Allowance(count: 400, period: 60)
      $0.levels = Levels(efficiency: 0.95, throttled: 1)
    },
    Scenario("T10", "20 s windows from a first request on, no Period, Reset since 1970") {
      ($0.limit, $0.period, $0.keys, $0.workers) = (200, 20, 900, 16)
      ($0.isAligned, $0.tellsPeriod, $0.resetForm) = (false, false, .epoch)
      $0.levels = Levels(efficiency: 0.95, throttled: 2)
    },
    Scenario("T11", "sliding log of 20 s, no Period, Reset since 1970") {
      ($0.limit, $0.period, $0.keys, $0.workers) = (200, 20, 900, 16)
      ($0.kind, $0.tellsPeriod, $0.resetForm) = (.sliding, false, .epoch)
      $0.levels = Levels(efficiency: 0.95, throttled: 2)
    },
    Scenario("T12", "sliding log of 20 s") {
      ($0.limit, $0.period, $0.keys, $0.workers, $0.latency) = (200, 20, 700, 16, 0.05)
      $0.kind = .sliding
      $0.levels = Levels(efficiency: 0.95, throttled: 0)
    },
    Scenario("T13", "sliding window counter of 20 s, no Period, Reset since 1970") {
      ($0.limit, $0.period, $0.keys, $0.workers, $0.latency) = (200, 20, 900, 16, 0.05)
      ($0.kind, $0.tellsPeriod, $0.resetForm) = (.counter, false, .epoch)
      $0.levels = Levels(efficiency: 0.95, throttled: 3)
    },
    Scenario("T15", "as T13, 1.1 s before an edge") {
      ($0.limit, $0.period, $0.keys, $0.workers, $0.latency) = (200, 20, 900, 16, 0.05)
      ($0.kind, $0.tellsPeriod, $0.resetForm, $0.firstEdge) = (.counter, false, .epoch, 1.1)
      $0.levels = Levels(efficiency: 0.95, throttled: 3)
    },
    Scenario("T14", "as T13, no headers but Retry-After 1 s, refusals counted (a stick table)") {
      ($0.limit, $0.period, $0.keys, $0.workers, $0.latency) = (200, 20, 900, 16, 0.03)
      ($0.kind, $0.hasHeaders, $0.firstEdge, $0.countsThrottled, $0.retryAfterAlways) = (.counter, false, 20, true, 1)
      // The refusals by which the limit is found are a fortieth of it.
      $0.levels = Levels(efficiency: 0.93, throttled: 36)
    },
    Scenario("T05", "20/4 s, counts up to 1.5 s old") {
      ($0.limit, $0.period, $0.keys, $0.stale) = (20, 4, 400, 1.5)
      $0.levels = Levels(efficiency: 0.9, throttled: 10)
    },
    Scenario("T06", "neighbour 40 % in clumps, 400/3600 s") {
      ($0.limit, $0.period, $0.keys, $0.horizon) = (400, 3_600, 1_000, 40_000)
      $0.neighbour = Neighbour(share: 0.4, inClumps: true)
      // Bursts of a quarter of the limit at once: they miss whatever was not left to them in advance.
      $0.levels = Levels(efficiency: 0.9, throttled: 3, harm: 25)
    },
    Scenario("T07", "400/3600 s, alone") {
      ($0.limit, $0.period, $0.keys, $0.horizon) = (400, 3_600, 1_900, 40_000)
      $0.levels = Levels(efficiency: 0.99, throttled: 0)
    },
    Scenario("T08", "eight daemons, one budget") {
      ($0.daemons, $0.keys) = (8, 4_500)
      $0.levels = Levels(efficiency: 0.95, throttled: 5, fairness: 0.8)
    },
    Scenario("T09", "32 daemons, one budget") {
      ($0.daemons, $0.keys, $0.workers) = (32, 6_300, 8)
      $0.levels = Levels(efficiency: 0.95, throttled: 5, fairness: 0.8)
    },
    Scenario("T16", "Limit and Remaining only, neighbour 30 %") {
      ($0.tellsPeriod, $0.tellsReset) = (false, false)
      $0.neighbour = Neighbour(share: 0.3)
      ($0.keys, $0.seeds) = (6_000, 1)
      $0.levels = Levels(efficiency: 0.9, throttled: 4, harm: 20)
    },
  ]
}
