import Logging
import RateLimit
import Registration
import RegistrationCore
import RegistrationQueue

/// What an earlier run has left for this one to begin with.
struct EarlierRun: Sendable {
  var learned: LearnedLimits?
  /// How many seconds ago requests were answered that may still count, the oldest first.
  var sent: [Seconds]
  var evidence: LimitEvidence
  var pause: Pause?
  /// Until when a failing server wants no requests.
  var asked: AskedToWait?
  /// When a key was last registered.
  var lastSuccess: Timestamp?

  /// - Parameter endpoint: The base address of the API. What was learned of another one is left out.
  init(of endpoint: String, from queue: RegistrationQueue, _ log: Logger) throws {
    (learned, sent) = try Memory.learnedLimits(of: endpoint, from: queue, log)
    evidence = try Memory.evidence(of: endpoint, from: queue, log)
    pause = try Memory.recall(Pause.self, named: Memory.pause, from: queue, log)
    asked = try queue.keptWait {
      log.warning(
        "the stored delay that the server asked for cannot be read", metadata: ["detail": "\(PrintableText.escape($0))"]
      )
    }
    lastSuccess = queue.lastSuccess
  }
}
