import Logging
import Registration
import RegistrationQueue
import Spool
import Systemd

/// The queue's part of the start.
extension Daemon {
  /// Opens the queue, unless something forbids working on it.
  ///
  /// - Parameter spool: Nil while it does not respond: it is compared with the queue once it does.
  static func openQueue(
    _ directory: StateDirectory, of origin: QueueOrigin, spool: SpoolDirectory?, options: Options,
    notifier: ServiceNotifier, _ log: Logger
  ) throws -> (queue: RegistrationQueue, isUnproven: Bool) {
    let history = spool.map(SpoolHistory.init(spool:))
    let queue = try RegistrationQueue(
      path: directory.queuePath, instance: origin.instance, isNewMeant: options.isNewQueueMeant,
      isOlderMeant: options.isOlderQueueMeant,
      evidence: { known in try history?.evidence(against: known) })
    let isUnproven = spool == nil
    if options.isNewQueueMeant, queue.tally.total > 0 {
      log.warning("there is a queue already: --new-queue has no effect and should be left out")
    }
    if let copy = queue.earlier {
      log.notice(
        "the queue of an earlier version was brought up to date; a copy of it is kept", metadata: ["copy": "\(copy)"])
    }
    guard queue.isSuspect else {
      try note(origin, in: queue, log)
      return (queue, isUnproven)
    }
    log.warning("an earlier run found the queue damaged: it is checked before anything else")
    let ending = try QueueCheck(queue).run { _ in notifier.extendTimeout(seconds: Self.longestPart) }
    if case .damaged(let what) = ending { throw QueueError.stillDamaged(what) }
    log.notice("the queue is sound")
    try note(origin, in: queue, log)
    return (queue, isUnproven)
  }

  /// Notes whose queue it is, and which endpoint its keys are sent to.
  static func note(_ origin: QueueOrigin, in queue: RegistrationQueue, _ log: Logger) throws {
    do {
      guard let earlier = try queue.note(origin), earlier.endpoint != origin.endpoint, queue.tally[.registered] > 0
      else { return }
      log.warning(
        "the endpoint has changed: keys that were registered with the earlier one count as registered",
        metadata: [
          "earlier": "\(PrintableText.escape(earlier.endpoint))", "endpoint": "\(origin.endpoint)",
          "hint": "keyreg submit --force registers a list again",
        ])
    } catch let error as QueueError where error.kind == .disk {
      // A full disk shows as a hold anyway. The next start notes it.
    }
  }

  /// Seconds that systemd is asked to wait for one part of a check of the queue: more than ten million keys take.
  private static let longestPart = 900.0
}
