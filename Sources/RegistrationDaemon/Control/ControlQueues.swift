import Dispatch

/// The queues that requests to the control socket run on, so that none waits for one that takes longer.
struct ControlQueues: Sendable {
  /// Short reads: lists, keys.
  let reads = DispatchQueue(label: "keyreg.control.reads")
  /// Pages of outcomes, for any number of streams in turn: they use one of the queue's readers, and release it after
  /// every page.
  let streams = DispatchQueue(label: "keyreg.control.streams")
  /// Status and metrics, which wait for neither of these.
  let reports = DispatchQueue(label: "keyreg.control.reports")
  /// Reads of the spool, which may hang with its file system.
  let looks = DispatchQueue(label: "keyreg.control.looks")
  let commands = DispatchQueue(label: "keyreg.control.commands")
  /// Commands that touch many keys: a pause does not wait for them.
  let bulk = DispatchQueue(label: "keyreg.control.bulk")
  /// Calls to the API, which may take as long as its timeouts allow.
  let checks = DispatchQueue(label: "keyreg.control.checks")
  /// One copy at a time: each needs as much disk space as the queue.
  let backups = DispatchQueue(label: "keyreg.control.backups")
  let backupPieces = DispatchQueue(label: "keyreg.control.backup-pieces")
}
