/// What one reply, or its absence, means for a key in the queue.
package struct KeyResult: Sendable, Hashable {
  package enum Decision: Sendable, Hashable {
    case registered
    case failed
    /// Another attempt, not before the given time, which is on the same clock as `at`: only the difference counts. Whether
    /// this one counts is not known yet: `charge` or `spare` follows. If the process ends before, it does not.
    case retry(due: Timestamp)
    /// Another attempt, not before the given time. This one does not count: the problem was not the key's.
    case postpone(due: Timestamp)
    /// A second look, not before the given time, at a key that the API does not know. The attempt counts.
    case lookAgain(due: Timestamp)
    /// An attempt that ended with `retry` counts: others were answered.
    case charge
    /// An attempt that ended with `retry` does not count: the trouble is shared. The key is due.
    case spare

    /// It is final: no further attempt follows.
    package var isOutcome: Bool { self == .registered || self == .failed }
  }

  package var row: Int64
  package var decision: Decision
  package var httpStatus: Int?
  package var errorTitle: String?
  package var errorDetail: String?
  /// The number of the credentials that registered it, from `registrar`.
  package var registrar: Int64?
  /// When the request was sent.
  package var sentAt: Timestamp
  package var at: Timestamp

  package init(
    row: Int64, decision: Decision, httpStatus: Int? = nil, errorTitle: String? = nil, errorDetail: String? = nil,
    registrar: Int64? = nil, sentAt: Timestamp, at: Timestamp
  ) {
    self.row = row
    self.decision = decision
    self.httpStatus = httpStatus
    self.errorTitle = errorTitle
    self.errorDetail = errorDetail
    self.registrar = registrar
    self.sentAt = sentAt
    self.at = at
  }
}
