package import RateLimit
package import Registration

/// What the core is told.
package enum Event: Sendable {
  /// Time has passed, or a batch of events has been told: hands out what may be sent now.
  ///
  /// - open: Keys without an outcome in the whole queue, for the plan of the pacer.
  case tick(open: Int)
  /// The time has come that an `Action.wake` named, or a part of it has passed.
  case alarm
  /// Keys that were read.
  case keys(KeyPage)
  /// The reply to a request, or the lack of one.
  case reply(Answer, order: Int)
  /// These results are on disk.
  case committed([KeyResult])
  /// Keys or lists came, went or changed their order.
  case keysChanged
  /// New settings, from the next request on.
  case settings(CoreSettings)
  /// The operator believes what the API says of every key, if that is why nothing is sent.
  case believe
  /// The operator pauses; nil ends it.
  case pause(Pause?)
  /// The disk refuses, in the words for the operator.
  case storeFailed(Store, String)
  /// Nothing more is to be sent. What is under way goes on.
  case stop
}

/// What one exchange with the API came to.
package struct Answer: Sendable {
  package var verdict: Verdict
  package var paced: PacedReply

  package init(_ verdict: Verdict, paced: PacedReply) {
    self.verdict = verdict
    self.paced = paced
  }
}

/// The two uses of the queue that the core waits for.
package enum Store: Sendable, Hashable, CaseIterable {
  case keys
  case results
}

/// A run of due keys, as it was read from the queue.
package struct KeyPage: Sendable {
  package var keys: [DueKey]
  /// No others are due.
  package var isAll: Bool
  /// When the next key is due, in seconds of the monotonic clock; nil when none waits for a time to come.
  package var nextDue: Seconds?
  /// Of the read that asked for it.
  package var generation: Int

  package init(_ keys: [DueKey], isAll: Bool, nextDue: Seconds?, generation: Int) {
    self.keys = keys
    self.isAll = isAll
    self.nextDue = nextDue
    self.generation = generation
  }
}

/// What the operator has set, and what is known of the credentials.
package struct CoreSettings: Sendable {
  package var pacer: PacerSettings
  package var retry: RetryPolicy
  /// The credentials, as the queue numbers them; nil when it cannot write now.
  package var registrar: Int64?
  /// A key that they have registered earlier.
  package var canary: RegisteredKey?
  /// Credentials or endpoint are others than before.
  package var isNew: Bool

  package init(
    pacer: PacerSettings, retry: RetryPolicy, registrar: Int64? = nil, canary: RegisteredKey? = nil, isNew: Bool = true
  ) {
    self.pacer = pacer
    self.retry = retry
    self.registrar = registrar
    self.canary = canary
    self.isNew = isNew
  }
}
