import ArgumentParser
import Glibc
import Journal
import RegistrationDaemon
import Systemd

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run the daemon: take lists from the spool and register their keys.",
    discussion: "SIGTERM finishes the requests in flight and exits; SIGHUP reloads the configuration and credentials.")

  @OptionGroup var instance: InstanceOptions

  @Option(help: "The configuration file.")
  var config: String?

  @Flag(
    help: """
      Exit when every list in the spool is imported and no key is open: with 0 if all are registered, 1 if some failed \
      or were cancelled, 65 if a list was rejected, 77 if one cannot be read or a folder of the spool cannot be written.
      """)
  var untilDone = false

  @Flag(
    help: """
      Start a new queue where there was one before. It does not know what was registered. What is left of the old queue \
      is kept under another name. For one start only.
      """)
  var newQueue = false

  @Flag(
    help: """
      Continue with a queue that is older than its spool. Lists in done/ that it does not know are read again, and keys \
      registered since then may be registered again. For one start only.
      """)
  var olderQueue = false

  func run() throws {
    // A reload requested during the start, which can take minutes, waits for its handler.
    SignalHandlers.hold(SIGHUP)
    try OpenFiles.require(OpenFiles.ofDaemon)
    try ProcessHardening.applyOrFail()
    let source = SettingsSource(file: config, instance: instance.instance, environment: instance.environment)
    let loaded = try source.load()
    try loaded.validate()
    try OpenFiles.require(OpenFiles.ofDaemon + loaded.settings.workers)
    let output = LogOutput(
      format: loaded.settings.logFormat.format(instance.environment), level: loaded.settings.logLevel)
    var options = Daemon.Options(version: Keyreg.version)
    options.untilDone = untilDone
    options.isNewQueueMeant = newQueue
    options.isOlderQueueMeant = olderQueue
    options.watchdog = .takingEnvironment()
    let daemon = try Daemon(
      source: source, loaded: loaded, options: options, output: output, notifier: .takingEnvironment())
    switch try daemon.run() {
    case .stopped:
      guard untilDone, !daemon.isDone else { return }
      throw Failure(
        .tryAgain, "stopped before everything was done", hint: "nothing is lost; run the same command again to continue"
      )
    case .done(let balance):
      if let fault = balance.fault { throw fault }
      if let exit = Self.exit(balance) { throw ExitCode(exit.rawValue) }
    case .broken(let error): throw error
    case .refused(let error): throw error
    }
  }
}

extension RunCommand {
  /// The worst result: a list that could not be read, a rejected list, keys that were not registered.
  private static func exit(_ balance: Daemon.Balance) -> Exit? {
    if balance.unreadable > 0 { return .permission }
    if balance.rejected > 0 { return .badList }
    return balance.failed + balance.cancelled > 0 ? .someFailed : nil
  }
}

extension ProcessHardening {
  /// Call this before a secret is read.
  static func applyOrFail() throws {
    do {
      try apply()
    } catch {
      throw Failure(.internalError, error.description)
    }
  }
}

extension LogChoice {
  func format(_ environment: [String: String]) -> LogFormat {
    switch self {
    case .auto: .detected(journalStream: environment["JOURNAL_STREAM"])
    case .text: .text
    case .json: .json
    }
  }
}
