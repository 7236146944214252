package import ControlAPI
import Dispatch
import Glibc
package import Journal
import Logging
import Registration
import RegistrationAPI
package import RegistrationQueue
package import Spool
import Synchronization
package import Systemd

/// The whole daemon: it assembles the parts, and takes them apart again in an order that loses nothing.
package final class Daemon: Sendable {
  /// How a run ended.
  package enum Ending: Sendable {
    /// A signal or a call of `stop`.
    case stopped
    /// Nothing was left to do.
    case done(Balance)
    /// The queue can no longer be used.
    case broken(QueueError)
    /// The spool is not for this daemon: it did not respond at the start and proved so later, or it was replaced.
    case refused(any Error)
  }

  /// What went wrong in this run.
  package struct Balance: Hashable, Sendable {
    package var failed: Int
    package var cancelled: Int
    /// Lists that were rejected since the start.
    package var rejected: Int
    /// Lists in the spool that cannot be read.
    package var unreadable: Int
    /// Why the spool could not be used.
    package var fault: SpoolError?
  }

  /// How the daemon is run, apart from its settings.
  package struct Options: Sendable {
    package var version: String
    /// Ends when every list in the spool is imported and no key is open.
    package var untilDone = false
    /// Allows a new queue in place of one that is gone.
    package var isNewQueueMeant = false
    /// Allows a queue that is older than its spool.
    package var isOlderQueueMeant = false
    /// How often systemd wants a sign of life.
    package var watchdog: WatchdogInterval?

    package init(version: String) {
      self.version = version
    }
  }

  let queue: RegistrationQueue
  /// The queue is new, and the spool could not be asked whether there was another.
  let isQueueUnproven: Bool
  let pool: WorkerPool
  let importer: Importer
  let watcher: SpoolWatcher
  let results: ResultsWriter
  let changes = ChangeBroadcast()
  let instance: Instance
  let directory: StateDirectory
  let spool: SpoolDirectory
  let ownership: SpoolOwnership
  let calls: SpoolCalls
  let options: Options
  let source: SettingsSource
  let log: Logger
  let output: LogOutput
  let notifier: ServiceNotifier
  let settings: SettingsInForce
  let heartbeat: Heartbeat
  let queueUpkeep: QueueUpkeep
  let spoolUpkeep: SpoolUpkeep
  let reports: Reports
  let announcer: Announcer
  let completion: Completion
  let stopRequest = StopRequest()
  /// The control socket responds and lists are taken.
  let isServing = Mutex(false)
  /// One reload at a time: a signal and the socket may request one at once.
  let reloads = Mutex(())

  /// Opens everything that can fail: the lock, the queue, the spool, the credentials.
  ///
  /// Throws `SettingsError`, `InstanceStamp.Refusal`, `StateDirectoryError`, `QueueError`, `SpoolError`,
  /// `SpoolLock.Refusal` or `CredentialError`.
  package init(
    source: SettingsSource, loaded: LoadedSettings, options: Options, output: LogOutput, notifier: ServiceNotifier
  ) throws {
    let settings = loaded.settings
    let log = output.logger("keyreg")
    let instance = try source.instance
    // Before anything is opened: a daemon that was started for another organisation must not touch its files.
    try loaded.refuseForeign(LoadedSettings.OwnPlace.allCases.filter { $0 != .spool }, for: instance)
    let stamp = InstanceStamp(folder: settings.stateDirectory)
    try stamp.check(for: instance)
    let spool = SpoolDirectory(path: settings.spoolDirectory)
    let stopRequest = self.stopRequest
    let ownership = SpoolOwnership(spool: spool, of: instance) { @Sendable error in stopRequest.make(.refused(error)) }
    try ownership.check { @Sendable in
      try loaded.refuseSpool(for: instance)
      try InstanceStamp(folder: settings.spoolDirectory).check(for: instance)
    }
    let credentials = try CredentialSource(environment: source.environment).load(settings)
    let directory = try StateDirectory(path: settings.stateDirectory)
    let isTaken = try ownership.take()
    let (queue, isQueueUnproven) = try Self.openQueue(
      directory, of: QueueOrigin(instance: instance.name, endpoint: settings.endpoint.base),
      spool: isTaken ? spool : nil, options: options, notifier: notifier, log)
    try Self.leave(stamp, for: instance, log)
    try queue.finishCancels(at: .now())

    let changes = self.changes
    let inForce = SettingsInForce(loaded, credentials)
    let announcer = Announcer(queue: queue, settings: inForce, instance: instance, log: log)
    let results = ResultsWriter(
      queue: queue, spool: spool, log: log, keptColumns: { @Sendable in inForce.current.keepColumns },
      announcer: announcer, changed: { @Sendable in changes.tick() })
    let watcher = SpoolWatcher(spool: spool, settle: .milliseconds(settings.settle)) { @Sendable name in
      try queue.hasList(named: name.text)
    }
    let monitor = SpoolMonitor(spool: spool, ownership: ownership, log: log)
    let spoolUpkeep = SpoolUpkeep(
      queue: queue, spool: spool, ownership: ownership, monitor: monitor, watcher: watcher, results: results, log: log)
    let shell = Shell(
      access: try APIAccess(settings.api(credentials), in: queue), pacer: settings.pacer, retry: settings.retryPolicy,
      earlier: try EarlierRun(of: settings.endpoint.base, from: queue, log))
    let pool = WorkerPool(
      queue: queue, shell: shell, version: options.version, log: log,
      settled: { @Sendable in spoolUpkeep.writeResults() }, changed: { @Sendable in changes.tick() },
      broken: { @Sendable error in stopRequest.make(.broken(error)) })
    let importer = Importer(
      queue: queue, spool: spool, watcher: watcher, maxFileSize: settings.maxFileSize, announcer: announcer,
      log: log,
      keysChanged: { @Sendable in
        pool.keysChanged()
        spoolUpkeep.writeResults()
      }, broken: { @Sendable error in stopRequest.make(.broken(error)) })
    self.queue = queue
    self.isQueueUnproven = isQueueUnproven
    self.pool = pool
    self.importer = importer
    self.watcher = watcher
    self.results = results
    self.directory = directory
    self.instance = instance
    self.spool = spool
    self.ownership = ownership
    calls = SpoolCalls(monitor: monitor)
    self.options = options
    self.source = source
    self.log = log
    self.output = output
    self.notifier = notifier
    self.settings = inForce
    self.announcer = announcer
    self.spoolUpkeep = spoolUpkeep
    heartbeat = Heartbeat(notifier: notifier)
    let kept = try queue.history(now: .now())
    let history = History(kept: kept.minutes, unsaved: kept.unsaved, newestOutcome: queue.newestOutcome)
    queueUpkeep = QueueUpkeep(queue: queue, pool: pool, history: history, log: log)
    reports = Reports(
      queue: queue, pool: pool, importer: importer, watcher: watcher, results: results, monitor: monitor,
      heartbeat: heartbeat, settings: self.settings,
      report: StatusReport(version: options.version, startedAt: .now(), instance: instance), history: history)
    completion = Completion(
      queue: queue, pool: pool, importer: importer, watcher: watcher, monitor: monitor, spoolUpkeep: spoolUpkeep,
      results: results)
  }

  package func status() -> StatusDocument { reports.status() }

  /// Nothing is left to do, and nothing prevented it.
  package var isDone: Bool { completion.isDone && completion.balance.fault == nil }

  /// Asks the daemon to stop; the first reason counts.
  package func end(_ ending: Ending) { stopRequest.make(ending) }
}

// MARK: - Running

extension Daemon {
  /// Runs until a signal, `end`, or the last key; blocks its thread. Throws when the control socket or the spool cannot
  /// be served.
  package func run() throws -> Ending {
    let settings = settings.current
    // Before anything that others can see, so that anyone who sees the daemon can stop it.
    let signals = SignalHandlers([
      SIGTERM: { @Sendable [weak self] in self?.end(.stopped) },
      SIGINT: { @Sendable [weak self] in self?.end(.stopped) },
      SIGHUP: { @Sendable [weak self] in self?.reloadOnSignal() },
    ])
    defer { withExtendedLifetime(signals) {} }
    try serveSpool()
    var control = ControlServer.Configuration(socketPath: settings.socket, lockedFolder: directory.path)
    control.socketMode = settings.socketMode
    control.listen = try settings.listen.map(LoopbackAddress.init(parsing:))
    control.listLimit = { @Sendable [importer] in importer.maxFileSize }
    let backend = DaemonControl(
      queue: queue, pool: pool, importer: importer, watcher: watcher, spool: spoolUpkeep, calls: calls,
      reports: reports, broadcast: changes, queuePath: directory.queuePath, log: log,
      reloadSettings: { @Sendable [self] in try reload() },
      checkOnline: { @Sendable [settings = self.settings, options] in
        CheckDocument(settings.api, version: options.version)
      })
    let server = try ControlServer(control, backend: backend, logger: log)
    try server.start()
    defer { server.stop() }
    announcer.start()
    takeLists()
    pool.drain()
    let housekeeping = Housekeeping(
      pool: pool, queue: queueUpkeep, spool: spoolUpkeep, heartbeat: heartbeat, reports: reports,
      announcer: announcer, completion: completion, server: server, settings: self.settings, notifier: notifier,
      stopRequest: stopRequest, log: log, options)
    let alarms = housekeeping.start()
    isServing.withLock { $0 = true }
    notifier.ready(status: Reports.line(reports.momentaryStatus()))
    log.notice(
      "ready",
      metadata: [
        "version": "\(options.version)", "endpoint": "\(settings.endpoint)", "spool": "\(settings.spoolDirectory)",
        "socket": "\(settings.socket)", "open": "\(queue.tally.open)",
      ])
    spoolUpkeep.watch()
    queueUpkeep.checkQueue()

    let ending = stopRequest.wait()
    queueUpkeep.stopChecks()
    stop(ending, alarms)
    withExtendedLifetime(housekeeping) {}
    return ending
  }
}
