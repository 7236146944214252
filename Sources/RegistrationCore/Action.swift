package import RateLimit
package import Registration

/// What the core asks the shell to do, in this order.
package enum Action: Sendable {
  /// An idle worker sends the request.
  case send(Job)
  /// Write these results to disk, after the earlier ones.
  case record([KeyResult])
  /// Read keys ahead. The answer is `Event.keys` or `Event.storeFailed`.
  case read(KeyRead)
  /// Send `Event.alarm` at this time (seconds on the monotonic clock). Replaces any earlier alarm.
  case wake(at: Seconds)
  case tell(Notice)
}

/// Which keys to read.
package struct KeyRead: Sendable, Hashable {
  /// Rows to leave out.
  package var except: Set<Int64>
  /// Read keys of every list, as canaries for a hold, instead of the next keys in order.
  package var isSample: Bool
  package var generation: Int
  /// The longest possible wait for another attempt, in seconds. A later due time was written by a clock that was wrong.
  package var horizon: Seconds
  /// How many keys are handed out in order before these. Every tenth turn is for a list of lower priority, however often
  /// keys are read again.
  package var turn: Int
}

/// What others may want to know.
package enum Notice: Sendable {
  case holdBegan(Hold)
  case holdEnded(Holds.Reason)
  case diskHoldBegan(DiskFault)
  case diskHoldEnded
  /// Limits that are new or have changed since they were last reported, and how many changes were not reported.
  case limitsChanged([KnownLimit], untold: Int)
  /// Until when a failing server wants no requests, to be kept for a restart; nil when that is over.
  case askedToWait(AskedToWait?)
}

/// A failing server has named a time before which it wants no request.
package struct AskedToWait: Sendable, Hashable {
  /// Seconds from now.
  package var seconds: Seconds
  /// Its answer.
  package var fault: RequestFault
  /// Since when this has stopped all requests.
  package var since: Timestamp
  /// The queue's number for the credentials and endpoint that got this answer; nil if they had none.
  package var registrar: Int64?

  package init(seconds: Seconds, fault: RequestFault, since: Timestamp, registrar: Int64?) {
    self.seconds = seconds
    self.fault = fault
    self.since = since
    self.registrar = registrar
  }
}
