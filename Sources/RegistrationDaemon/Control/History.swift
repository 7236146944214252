package import ControlAPI
import RateLimit
package import Registration
package import RegistrationQueue
import Synchronization

/// What happened in each minute of the last day. Housekeeping, and every request for the history, add the latest numbers:
/// outcomes to the minute that they belong to, the rest to the present one. New minutes are stored once a minute, so that a
/// restart loses nothing. After a kill, the outcomes of the last minute are counted again in the queue; what else happened
/// in it is lost.
package final class History: Sendable {
  /// The numbers at one moment.
  package struct Sample: Sendable {
    package var statistics: Statistics
    package var remaining: Int?
    package var state: StatusDocument.State
    /// The number of the newest outcome that is counted in the statistics.
    package var newestOutcome: Int64

    package init(statistics: Statistics, remaining: Int?, state: StatusDocument.State, newestOutcome: Int64 = 0) {
      self.statistics = statistics
      self.remaining = remaining
      self.state = state
      self.newestOutcome = newestOutcome
    }
  }

  fileprivate struct State {
    var minutes: [Int64: MinuteRecord]
    /// The numbers when they were last looked at.
    var last: Statistics
    /// The durations when the present minute began.
    var durations = Durations()
    /// Seconds of the present minute, by state.
    var spent: [StatusDocument.State: Seconds] = [:]
    var present: Int64?
    /// Minutes that are not stored as they are.
    var unsaved: Set<Int64> = []
    /// Something was sent in an unsaved minute, or the state changed.
    var isNews = false
    var newestOutcome: Int64 = 0
  }

  /// Minutes without news that are stored together: a machine at rest is left to sleep.
  private static let quietMinutes = 10

  private let state: Mutex<State>

  /// - Parameters:
  ///   - kept: The minutes of earlier runs.
  ///   - unsaved: Those of them that are not stored as they are.
  ///   - newestOutcome: The number of the newest outcome that they count.
  package init(kept: [MinuteRecord] = [], unsaved: Set<Int64> = [], newestOutcome: Int64 = 0) {
    state = Mutex(
      State(
        minutes: Dictionary(kept.map { ($0.minute, $0) }) { $1 }, last: Statistics(), unsaved: unsaved,
        isNews: !unsaved.isEmpty, newestOutcome: newestOutcome))
  }

  /// Adds what happened since the last look.
  package func look(_ sample: Sample, now: Timestamp) {
    let minute = MinuteRecord.minute(of: now)
    state.withLock { state in
      let before = state.last
      if state.present != minute {
        state.present = minute
        state.durations = before.durations
        state.spent = [:]
        let (oldest, newest) = (minute - RegistrationQueue.historyLength, minute)
        // The wall clock may have been wrong.
        state.minutes = state.minutes.filter { $0.key > oldest && $0.key <= newest }
        state.unsaved = state.unsaved.filter { $0 > oldest && $0 <= newest }
      }
      let new = sample.statistics
      state.add(new.outcomes, since: before.outcomes, to: minute)
      var record = state.minutes[minute] ?? MinuteRecord(minute: minute, state: sample.state.rawValue)
      let old = record
      record.throttled += new.throttled - before.throttled
      record.otherRequests += new.others - before.others
      let durations = new.durations.since(state.durations)
      if durations.count > 0 {
        record.p50 = Self.milliseconds(durations.percentile(0.5))
        record.p90 = Self.milliseconds(durations.percentile(0.9))
      }
      record.remaining = sample.remaining ?? record.remaining
      for (phase, seconds) in new.spent {
        // What the pool does not know of, such as a list that is being read, shows while it is idle.
        let word = phase == .idle ? sample.state : StatusDocument.State(phase)
        state.spent[word, default: 0] += seconds - before.spent[phase, default: 0]
      }
      if let word = Self.longest(state.spent) ?? (sample.state == .idle ? nil : sample.state) {
        record.state = word.rawValue
      }
      state.last = new
      state.newestOutcome = sample.newestOutcome
      guard record != old || state.minutes[minute] == nil else { return }
      let isQuiet = (record.registered, record.failed, record.throttled, record.otherRequests) == (0, 0, 0, 0)
      state.isNews = state.isNews || !isQuiet || record.state != old.state
      state.minutes[minute] = record
      state.unsaved.insert(minute)
    }
  }

  /// The minutes from `since` on, oldest first.
  package func minutes(since: Timestamp? = nil) -> [MinuteRecord] {
    let first = since.map(MinuteRecord.minute) ?? .min
    return state.withLock { $0.minutes.values.filter { $0.minute >= first } }.sorted { $0.minute < $1.minute }
  }

  /// Has `store` write what is not stored yet, if it is worth a write.
  ///
  /// - Parameters:
  ///   - isLast: Stores everything, worth it or not.
  ///   - store: Also gets the number of the newest outcome that the minutes count.
  package func save(isLast: Bool = false, _ store: ([MinuteRecord], Int64) throws -> Void) rethrows {
    let (due, newest) = state.withLock { state -> ([MinuteRecord], Int64) in
      guard state.isNews || isLast || state.unsaved.count >= Self.quietMinutes else { return ([], 0) }
      return (state.unsaved.sorted().compactMap { state.minutes[$0] }, state.newestOutcome)
    }
    guard !due.isEmpty else { return }
    try store(due, newest)
    state.withLock { state in
      for record in due where state.minutes[record.minute] == record { state.unsaved.remove(record.minute) }
      state.isNews = false
    }
  }

  /// The state in which most of a minute was spent. Idle time counts only if there was nothing else.
  private static func longest(_ spent: [StatusDocument.State: Seconds]) -> StatusDocument.State? {
    spent.filter { $0.key != .idle && $0.value > 0 }.max { $0.value < $1.value }?.key
  }

  private static func milliseconds(_ seconds: Seconds) -> Int { Int((min(seconds, 1e6) * 1_000).rounded()) }
}

extension History.State {
  /// Adds each outcome to the minute of its own time. The clock may have been set back since, so none is later than the
  /// present minute.
  fileprivate mutating func add(
    _ new: [Int64: Statistics.Outcomes], since before: [Int64: Statistics.Outcomes], to present: Int64
  ) {
    for (minute, outcomes) in new where minute > present - RegistrationQueue.historyLength {
      let old = before[minute, default: .init()]
      let (registered, failed) = (outcomes.registered - old.registered, outcomes.failed - old.failed)
      guard (registered, failed) != (0, 0) else { continue }
      let own = min(minute, present)
      var record = minutes[own] ?? MinuteRecord(minute: own, state: StatusDocument.State.working.rawValue)
      record.registered += registered
      record.failed += failed
      minutes[own] = record
      unsaved.insert(own)
      isNews = true
    }
  }
}

extension StatusDocument.State {
  init(_ phase: Phase) {
    self =
      switch phase {
      case .idle: .idle
      case .working: .working
      case .waiting: .waiting
      case .paused: .paused
      case .holding: .holding
      case .stopping: .stopping
      }
  }
}

extension MinuteDocument {
  init(_ record: MinuteRecord) {
    self.init(
      at: record.at, registered: record.registered, failed: record.failed, throttled: record.throttled,
      otherRequests: record.otherRequests, latency: .init(p50: record.p50, p90: record.p90),
      remaining: record.remaining,
      state: StatusDocument.State(rawValue: record.state))
  }
}
