package import RateLimit

/// The one reason why no further request is sent now. Status, metrics and journal speak from it.
package enum Standstill: Sendable, Hashable {
  case stopping
  case paused(Pause)
  /// The disk refuses, in words for the operator.
  case disk(String)
  /// So many results are on their way to the disk that a kill would have too much sent again.
  case recording
  /// Nothing but canaries is sent.
  case hold(Hold)
  /// A canary is to tell whether a trouble is everybody's.
  case inquiry
  /// The rate limit.
  case limit(until: Seconds)
  /// A request that is under way has to come back first.
  case reply
  /// No key is due.
  case nothingDue(next: Seconds?)

  /// The name under which time spent so is counted; nil where nobody waits.
  package var name: String? {
    switch self {
    case .stopping: "stopping"
    case .paused: "paused"
    case .disk: "disk"
    case .recording: "recording"
    case .hold(let hold): hold.reason.rawValue
    case .inquiry: "inquiry"
    case .limit: "rate_limit"
    case .reply, .nothingDue: nil
    }
  }
}
