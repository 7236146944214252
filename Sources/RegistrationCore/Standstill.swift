package import RateLimit

/// The one reason why no further request is sent now. Status and metrics use it.
package enum Standstill: Sendable, Hashable {
  case stopping
  case paused(Pause)
  case disk(DiskFault)
  /// So many results are being written that a kill would have too many keys sent again.
  case recording
  /// Only canaries are sent.
  case hold(Hold)
  /// A canary is to find out whether a problem is shared.
  case inquiry
  /// The rate limit.
  case limit(until: Seconds)
  /// A request in flight must come back first.
  case reply
  /// No key is due.
  case nothingDue(next: Seconds?)

  /// The reasons under which waiting time is counted, by their names in the metrics.
  package enum Kind: String, Sendable, CaseIterable {
    case stopping, paused, disk, recording, credentials, outage, refused, inquiry
    case limit = "rate_limit"
  }

  /// Nil where there is no wait.
  package var kind: Kind? {
    switch self {
    case .stopping: .stopping
    case .paused: .paused
    case .disk: .disk
    case .recording: .recording
    case .hold(let hold):
      switch hold.reason {
      case .credentials: .credentials
      case .outage: .outage
      case .refused: .refused
      }
    case .inquiry: .inquiry
    case .limit: .limit
    case .reply, .nothingDue: nil
    }
  }
}
