import Logging
import RegistrationQueue
import Spool

/// The spool's part of the start, which waits for a hanging spool while everything else works.
extension Daemon {
  /// Cleans up what an earlier run left in the spool. A spool that does not respond is served once it does.
  func serveSpool() throws {
    try ownership.serve { @Sendable [self] in
      try compareQueue()
      try Self.leave(InstanceStamp(folder: spool.path), for: instance, log)
      try spool.sweepLeftovers()
      try importer.reconcile()
    }
  }

  /// Takes lists and writes results from now on, or once the spool is served.
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
          removed: { @Sendable [weak spoolUpkeep] in spoolUpkeep?.forgetRejected($0) },
          missedWrites: { @Sendable [weak spoolUpkeep] in spoolUpkeep?.checkFiledLists() }))
      spoolUpkeep.checkFiledLists(isFirst: true)
      results.look()
      changes.tick()
    }
  }

  /// A folder that cannot be written now is stamped at a later start.
  static func leave(_ stamp: InstanceStamp, for instance: Instance, _ log: Logger) throws {
    do throws(InstanceStamp.Refusal) {
      try stamp.leave(for: instance)
    } catch {
      guard error.mayPass else { throw error }
      let detail = error.description
      log.warning("a folder could not be stamped as this instance's", metadata: ["detail": "\(detail)"])
    }
  }

  /// Handles a queue that is not the one that last worked on the spool, as the operator's flags say. If the queue was
  /// opened while the spool could not be read, the daemon ends now as it would have then.
  private func compareQueue() throws {
    let history = SpoolHistory(spool: spool)
    if options.isNewQueueMeant, queue.listTotals.total == 0 { try history.leaveAll(to: queue) }
    if try queue.isOlderMeant {
      try history.takeBack(into: queue, log)
    } else if isQueueUnproven, let evidence = try queue.compare(history.evidence) {
      throw QueueError.contradicted(path: directory.queuePath, isUnused: queue.listTotals.total == 0, by: evidence)
    }
  }
}
