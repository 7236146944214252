package import RateLimit
package import Registration

/// The core's input.
package enum Event: Sendable {
  /// Time has passed, or a batch of events has ended: hands out what may be sent now.
  ///
  /// - open: Keys without an outcome in the whole queue, for the pacer's plan.
  case tick(open: Int)
  /// The time that an `Action.wake` named has come, or part of it has passed.
  case alarm
  /// Keys that were read.
  case keys(KeyPage)
  /// The reply to a request, or its failure.
  case reply(Answer, order: Int)
  /// These results are on disk.
  case committed([KeyResult])
  /// Keys or lists were added, removed or reordered.
  case keysChanged
  /// New settings, from the next request on.
  case settings(CoreSettings)
  /// The operator accepts the API's refusals, if they are why nothing is sent.
  case believe
  /// The operator pauses; nil ends the pause.
  case pause(Pause?)
  /// Keys could not be read, or results not be written.
  case storeFailed(DiskFault)
  /// Send nothing more. Requests in flight continue.
  case stop
}

/// The result of one exchange with the API.
package struct Answer: Sendable {
  package var verdict: Verdict
  package var paced: PacedReply

  package init(_ verdict: Verdict, paced: PacedReply) {
    self.verdict = verdict
    self.paced = paced
  }
}

/// A run of due keys read from the queue.
package struct KeyPage: Sendable {
  package var keys: [DueKey]
  /// No other keys are due.
  package var isAll: Bool
  /// When the next key is due, in seconds on the monotonic clock; nil when no key has a due time.
  package var nextDue: Seconds?
  /// The generation of the read that this answers.
  package var generation: Int

  package init(_ keys: [DueKey], isAll: Bool, nextDue: Seconds?, generation: Int) {
    self.keys = keys
    self.isAll = isAll
    self.nextDue = nextDue
    self.generation = generation
  }
}

/// What the operator has set, and what is known about the credentials.
package struct CoreSettings: Sendable {
  package var pacer: PacerSettings
  package var retry: RetryPolicy
  /// The number that the queue gave the credentials; nil when it cannot be written now.
  package var registrar: Int64?
  /// A key that these credentials registered earlier.
  package var canary: RegisteredKey?
  package var change: Change

  /// Whether the endpoint or the credentials are new.
  package enum Change: Sendable, Hashable {
    case none
    /// The same server, which may count limits by organisation.
    case credentials
    case endpoint
  }

  package init(
    pacer: PacerSettings, retry: RetryPolicy, registrar: Int64? = nil, canary: RegisteredKey? = nil,
    change: Change = .endpoint
  ) {
    self.pacer = pacer
    self.retry = retry
    self.registrar = registrar
    self.canary = canary
    self.change = change
  }
}
