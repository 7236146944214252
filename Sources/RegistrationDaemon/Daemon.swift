import ControlAPI
import Dispatch
import Glibc
import Logging
import RateLimit
import Registration
import RegistrationAPI
import RegistrationCore
package import RegistrationQueue
import Spool
import Synchronization
package import Systemd

/// The whole daemon: it puts the parts together, and takes them apart again in the order that loses nothing.
package final class Daemon: Sendable {
  /// How a run ended.
  package enum Ending: Sendable {
    /// A signal or a call of `stop`.
    case stopped
    /// Nothing was left to do.
    case done(Balance)
    /// The queue cannot be used any more.
    case broken(QueueError)
    /// The spool did not answer at the start, and when it did it turned out not to be for this daemon.
    case refused(any Error)
  }

  /// What did not go well of all that was done.
  package struct Balance: Hashable, Sendable {
    package var failed: Int
    package var cancelled: Int
    /// Lists that were rejected since the start.
    package var rejected: Int
    /// Lists that lie in the spool and cannot be read.
    package var unreadable: Int
  }

  /// How the daemon is run, besides its settings.
  package struct Options: Sendable {
    package var version: String
    /// Ends when every list in the spool is imported and no key is left to work on.
    package var untilDone = false
    /// A new queue may take the place of one that is gone.
    package var isNewQueueMeant = false
    /// The queue may be older than its spool.
    package var isOlderQueueMeant = false
    /// How often systemd wants to hear that the daemon lives.
    package var watchdog: WatchdogInterval?

    package init(version: String) {
      self.version = version
    }
  }

  struct State {
    var loaded: LoadedSettings
    var credentials: Credentials
    var ending: Ending?
    var lastBeat: Double
    /// The control socket answers and lists are taken in.
    var isServing = false
    /// The journal was told that the spool does not answer.
    var isSpoolSilent = false
    /// When the queue began to be written back, in seconds of the monotonic clock, while it is.
    var tidyingSince: Double?
  }

  package let queue: RegistrationQueue
  /// The queue is new, and the spool could not be asked whether there was another.
  let isQueueUnproven: Bool
  package let pool: WorkerPool
  let importer: Importer
  let watcher: SpoolWatcher
  let results: ResultsWriter
  let changes = ChangeBroadcast()
  /// How many keys come before the end of each open list: one look for all pages of lists that are read together.
  let openKeysAhead = Cached<[Int64: Int]>(life: 2)
  package let instance: Instance
  let directory: StateDirectory
  let spool: SpoolDirectory
  let ownership: SpoolOwnership
  let look: SpoolLook
  let calls: SpoolCalls
  /// For what walks over many files of the spool.
  let upkeep = DispatchQueue(label: "keyreg.upkeep")
  let options: Options
  let source: SettingsSource
  let log: Logger
  let output: LogOutput
  let notifier: ServiceNotifier
  let report: StatusReport
  /// The settings that were in force at the start: some of them are until the end.
  let started: LoadedSettings
  private let ended = DispatchSemaphore(value: 0)
  let state: Mutex<State>
  /// One reload at a time: a signal and the socket may ask at once.
  let reloads = Mutex(())
  let kept = Mutex<LearnedLimits?>(nil)
  let checks = DispatchQueue(label: "keyreg.check")
  /// The look through the queue that is under way.
  let check = Mutex<QueueCheck?>(nil)

  /// Opens everything that can refuse: the lock, the queue, the spool, the credentials.
  ///
  /// Throws `SettingsError`, `InstanceStamp.Refusal`, `StateDirectoryError`, `QueueError`, `SpoolError`,
  /// `SpoolLock.Refusal` or `CredentialError`.
  package init(
    source: SettingsSource, loaded: LoadedSettings, options: Options, output: LogOutput, notifier: ServiceNotifier
  ) throws {
    let settings = loaded.settings
    let log = output.logger("keyreg")
    let instance = try source.instance
    // Before anything is opened: a daemon that is started for another organisation must not touch its files.
    try loaded.refuseForeign(LoadedSettings.OwnPlace.allCases.filter { $0 != .spool }, for: instance)
    let stamp = InstanceStamp(folder: settings.stateDirectory)
    try stamp.check(for: instance)
    let spool = SpoolDirectory(path: settings.spoolDirectory)
    let ownership = SpoolOwnership(spool: spool)
    try ownership.check { @Sendable in
      try loaded.refuseForeign([.spool], for: instance)
      try InstanceStamp(folder: settings.spoolDirectory).check(for: instance)
    }
    let credentials = try CredentialSource(environment: source.environment).load(settings)
    let directory = try StateDirectory(path: settings.stateDirectory)
    let isTaken = try ownership.take()
    let (queue, isQueueUnproven) = try Self.openQueue(
      directory, spool: isTaken ? spool : nil, options: options, notifier: notifier, log)
    try Self.leave(stamp, for: instance, log)
    try queue.finishCancels(at: .now())

    let changes = self.changes
    let box = Relay()
    let results = ResultsWriter(queue: queue, spool: spool, log: log) { @Sendable in changes.tick() }
    let pool = WorkerPool(
      queue: queue, access: try APIAccess(settings.api(credentials), in: queue), pacer: settings.pacer,
      retry: settings.retryPolicy,
      learned: try Self.recall(LearnedLimits.self, named: Memory.learned, from: queue, log),
      pause: try Self.recall(Pause.self, named: Memory.pause, from: queue, log),
      asked: try queue.keptWait {
        log.warning("what the server has asked for does not read", metadata: ["detail": "\(PrintableText.escape($0))"])
      },
      version: options.version, log: log,
      settled: { @Sendable in if ownership.isServed { results.look() } }, changed: { @Sendable in changes.tick() },
      broken: { @Sendable error in box.daemon?.end(.broken(error)) })
    watcher = SpoolWatcher(spool: spool, settle: .milliseconds(settings.settle)) { @Sendable name in
      try queue.hasList(named: name.text)
    }
    importer = Importer(
      queue: queue, spool: spool, watcher: watcher, maxFileSize: settings.maxFileSize, log: log,
      keysChanged: { @Sendable in
        pool.keysChanged()
        if ownership.isServed { results.look() }
      }, broken: { @Sendable error in box.daemon?.end(.broken(error)) })
    self.queue = queue
    self.isQueueUnproven = isQueueUnproven
    self.pool = pool
    self.results = results
    self.directory = directory
    self.instance = instance
    self.spool = spool
    self.ownership = ownership
    look = SpoolLook(spool: spool, ownership: ownership, log: log)
    calls = SpoolCalls(look: look)
    self.options = options
    self.source = source
    self.log = log
    self.output = output
    self.notifier = notifier
    report = StatusReport(version: options.version, startedAt: .now(), instance: instance)
    started = loaded
    state = Mutex(State(loaded: loaded, credentials: credentials, lastBeat: MonotonicClock.now()))
    box.connect(self)
  }

  /// Names under which the queue keeps what outlives a restart.
  enum Memory {
    static let pause = "pause"
    static let learned = "rate_limits"
  }

  package var settings: Settings { state.withLock { $0.loaded.settings } }

  /// Asks the daemon to stop; the first ending stands.
  package func end(_ ending: Ending) {
    let isFirst = state.withLock { state in
      guard state.ending == nil else { return false }
      state.ending = ending
      return true
    }
    if isFirst { ended.signal() }
  }
}

// MARK: - Running

extension Daemon {
  /// Serves until a signal, `end`, or the last key; blocks its thread. Throws when the control socket or the spool
  /// cannot be served.
  package func run() throws -> Ending {
    let settings = self.settings
    // Before anything that others can see, so that whoever finds the daemon can stop it.
    let signals = SignalHandlers([
      SIGTERM: { @Sendable [weak self] in self?.end(.stopped) },
      SIGINT: { @Sendable [weak self] in self?.end(.stopped) },
      SIGHUP: { @Sendable [weak self] in self?.reloadOnSignal() },
    ])
    defer { withExtendedLifetime(signals) {} }
    try serveSpool()
    var control = ControlServer.Configuration(socketPath: settings.socket)
    control.socketMode = settings.socketMode
    control.listen = try settings.listen.map(LoopbackAddress.init(parsing:))
    control.listLimit = { @Sendable [importer] in importer.maxFileSize }
    let server = try ControlServer(control, backend: DaemonControl(daemon: self), logger: log)
    try server.start()
    defer { server.stop() }
    takeLists()
    pool.drain()
    let housekeeping = Housekeeping(daemon: self, notifier: notifier, options)
    housekeeping.start()
    state.withLock { $0.isServing = true }
    notifier.ready(status: statusLine())
    log.notice(
      "ready",
      metadata: [
        "version": "\(options.version)", "endpoint": "\(settings.endpoint)", "spool": "\(settings.spoolDirectory)",
        "socket": "\(settings.socket)", "open": "\(queue.tally.open)",
      ])
    watchSpool()

    checkQueue()

    ended.wait()
    stopCheck()
    let ending = state.withLock { $0.ending } ?? .stopped
    stop(ending, housekeeping)
    return ending
  }
}
