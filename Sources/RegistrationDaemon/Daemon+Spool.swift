import Logging
import RegistrationQueue
import Spool

/// The spool's part of the start, which waits for a spool that hangs while everything else works.
extension Daemon {
  /// Brings what an earlier run left in the spool in order. A spool that does not answer is served once it does.
  func serveSpool() throws {
    try ownership.serve { @Sendable [self] in
      try compareQueue()
      try Self.leave(InstanceStamp(folder: spool.path), for: instance, log)
      try spool.sweepLeftovers()
      try importer.reconcile()
    }
  }

  /// Takes in lists and writes results from now on, or from when the spool is served.
  func takeLists() {
    ownership.afterwards { @Sendable [weak self] refusal in
      guard let self else { return }
      if let refusal { return end(.refused(refusal)) }
      watcher.start(
        SpoolWatcher.Callbacks(
          ready: { @Sendable [importer] lists in importer.take(lists) },
          warning: { @Sendable [log] warning in
            log.warning("spool", metadata: ["detail": "\(warning)", "hint": "\(warning.hint ?? "")"])
          },
          standingChanged: { @Sendable [changes] in changes.tick() },
          missedWrites: { @Sendable [weak self] in self?.checkFiledLists() }))
      checkFiledLists()
      results.look()
      changes.tick()
    }
  }

  /// Tells the journal when the spool begins to hang, and when it answers again.
  func watchSpool() {
    let fault = ownership.fault ?? look.hang
    let isNews = state.withLock { state in
      defer { state.isSpoolSilent = fault != nil }
      return state.isSpoolSilent != (fault != nil)
    }
    guard isNews else { return }
    guard let fault else {
      log.notice("the spool answers again: lists are taken and results written", metadata: ["spool": "\(spool.path)"])
      return
    }
    log.error(
      "no list is taken and no result written",
      metadata: ["detail": "\(fault)", "hint": "\(fault.hint ?? "")"])
  }

  /// Throws `SpoolError` while nothing can be put into the spool because it does not answer, or did not at the start.
  func requireSpool() throws(SpoolError) {
    if let fault = ownership.fault ?? look.hang { throw fault }
  }

  /// A folder that cannot be written just now is stamped at another start.
  static func leave(_ stamp: InstanceStamp, for instance: Instance, _ log: Logger) throws {
    do throws(InstanceStamp.Refusal) {
      try stamp.leave(for: instance)
    } catch {
      guard error.mayPass else { throw error }
      let detail = error.description
      log.warning("a folder could not be marked as this instance's", metadata: ["detail": "\(detail)"])
    }
  }

  /// Writes the results that have become due, once the spool is served.
  func writeResults() {
    if ownership.isServed { results.look() }
  }

  /// Does what is meant of a queue that is not the one which worked on the spool last. One that was opened while nobody
  /// could look into the spool ends the daemon now as it would have then.
  private func compareQueue() throws {
    let history = SpoolHistory(spool: spool)
    if options.isNewQueueMeant, queue.listTotals.total == 0 { try history.leaveAll(to: queue) }
    if try queue.isOlderMeant {
      try history.takeBack(into: queue, log)
    } else if isQueueUnproven, let evidence = try queue.compare(history.evidence) {
      throw QueueError.belied(path: queuePath, isUnused: queue.listTotals.total == 0, by: evidence)
    }
  }
}
