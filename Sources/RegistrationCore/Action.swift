package import RateLimit
package import Registration

/// What the core wants done, in this order.
package enum Action: Sendable {
  /// An idle worker sends the request.
  case send(Job)
  /// These results go to disk, behind those before them.
  case record([KeyResult])
  /// Keys are read ahead; the answer is `Event.keys`, or `Event.storeFailed`.
  case read(KeyRead)
  /// The core is to be told `Event.alarm` at this time, in place of any that was named before. In seconds of the monotonic
  /// clock.
  case wake(at: Seconds)
  case tell(Notice)
}

/// Which keys are to be read.
package struct KeyRead: Sendable, Hashable {
  /// Rows that must not be read again.
  package var except: Set<Int64>
  /// Keys of every list, as canaries for a hold, instead of those whose turn it is.
  package var isSample: Bool
  package var generation: Int
  /// Seconds: no wait for another attempt is longer. What says so was put there by a clock that was wrong.
  package var horizon: Seconds
}

/// What somebody else may want to know of.
package enum Notice: Sendable {
  case holdBegan(Hold)
  case holdEnded(Holds.Reason)
  /// The disk refuses, in words for the operator.
  case diskHoldBegan(String)
  case diskHoldEnded
  /// Limits that are new, or other than they were when they were last told, and how many changes were passed over.
  case limitsChanged([KnownLimit], untold: Int)
  /// Until when a server in trouble wants to be left alone, to be kept for a restart; nil when it does not any more.
  case askedToWait(AskedToWait?)
}

/// A server in trouble has named a time before which it wants no request.
package struct AskedToWait: Sendable, Hashable {
  /// Seconds from now.
  package var seconds: Seconds
  /// What it answered.
  package var fault: Fault
  /// Since when it holds everybody.
  package var since: Timestamp

  package init(seconds: Seconds, fault: Fault, since: Timestamp) {
    self.seconds = seconds
    self.fault = fault
    self.since = since
  }
}
