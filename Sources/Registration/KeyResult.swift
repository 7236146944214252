/// What one reply, or the lack of one, means for a key in the queue.
package struct KeyResult: Sendable, Hashable {
  package enum Verdict: Sendable, Hashable {
    case registered
    case failed
    /// Another attempt, not before the given time. By the same clock as `at`: what counts is how long after it.
    case retry(due: Timestamp)
    /// Another attempt, not before the given time, and this one does not count: the trouble was not the key's.
    case postpone(due: Timestamp)
    /// A second look, not before the given time, at a key that the API does not know. The attempt counts.
    case lookAgain(due: Timestamp)
    /// The attempt that was counted turned out to be nobody's fault (an outage): it is given back, and the key is due.
    case refund
  }

  package var row: Int64
  package var verdict: Verdict
  package var httpStatus: Int?
  package var errorTitle: String?
  package var errorDetail: String?
  /// The credentials that registered it, as `registrar` numbers them.
  package var registrar: Int64?
  /// When the request was sent.
  package var sentAt: Timestamp
  package var at: Timestamp

  package init(
    row: Int64, verdict: Verdict, httpStatus: Int? = nil, errorTitle: String? = nil, errorDetail: String? = nil,
    registrar: Int64? = nil, sentAt: Timestamp, at: Timestamp
  ) {
    self.row = row
    self.verdict = verdict
    self.httpStatus = httpStatus
    self.errorTitle = errorTitle
    self.errorDetail = errorDetail
    self.registrar = registrar
    self.sentAt = sentAt
    self.at = at
  }
}
