package import Registration

/// Everything that is known about one key: the answer to `GET /v1/keys/{id}`.
package struct KeyDocument: Codable, Equatable, Sendable {
  package enum State: OpenWord {
    case pending
    case inFlight
    case retrying
    case registered
    case failed
    case cancelled
    case other(String)

    package static let allCases: [State] = [.pending, .inFlight, .retrying, .registered, .failed, .cancelled]

    package var rawValue: String {
      switch self {
      case .pending: "pending"
      case .inFlight: "in_flight"
      case .retrying: "retrying"
      case .registered: "registered"
      case .failed: "failed"
      case .cancelled: "cancelled"
      case .other(let word): word
      }
    }

    package init(_ state: KeyState) {
      self =
        switch state {
        case .pending: .pending
        case .retrying: .retrying
        case .registered: .registered
        case .failed: .failed
        case .cancelled: .cancelled
        }
    }
  }

  package struct Failure: Codable, Equatable, Sendable {
    @ExplicitNull package var title: String?
    @ExplicitNull package var detail: String?

    package init(title: String?, detail: String?) {
      _title = ExplicitNull(wrappedValue: title)
      _detail = ExplicitNull(wrappedValue: detail)
    }
  }

  /// In lower case.
  package var appKeyID: String
  package var state: State
  /// Of the last reply; null when there was none.
  @ExplicitNull package var httpStatus: Int?
  package var attempts: Int
  @ExplicitNull package var firstAttemptAt: Timestamp?
  @ExplicitNull package var finishedAt: Timestamp?
  @ExplicitNull package var nextAttemptAt: Timestamp?
  @ExplicitNull package var error: Failure?
  /// The names of its lists; the one that brought it comes first.
  package var lists: [String]

  private enum CodingKeys: String, CodingKey {
    case state, attempts, error, lists
    case appKeyID = "app_key_id"
    case httpStatus = "http_status"
    case firstAttemptAt = "first_attempt_at"
    case finishedAt = "finished_at"
    case nextAttemptAt = "next_attempt_at"
  }

  package init(
    id: AppKeyID, state: State, httpStatus: Int? = nil, attempts: Int = 0, firstAttemptAt: Timestamp? = nil,
    finishedAt: Timestamp? = nil, nextAttemptAt: Timestamp? = nil, error: Failure? = nil, lists: [String]
  ) {
    appKeyID = id.description
    self.state = state
    _httpStatus = ExplicitNull(wrappedValue: httpStatus)
    self.attempts = attempts
    _firstAttemptAt = ExplicitNull(wrappedValue: firstAttemptAt)
    _finishedAt = ExplicitNull(wrappedValue: finishedAt)
    _nextAttemptAt = ExplicitNull(wrappedValue: nextAttemptAt)
    _error = ExplicitNull(wrappedValue: error)
    self.lists = lists
  }
}
