import ArgumentParser
import Glibc
import RegistrationDaemon
import Systemd

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "The daemon: takes lists from the spool and registers their keys.",
    discussion: "SIGTERM drains and ends; SIGHUP reads configuration and credentials anew.")

  @OptionGroup var instance: InstanceOptions

  @Option(help: "The configuration file.")
  var config: String?

  @Flag(
    help: """
      Ends when every list in the spool is imported and no key is left to work on: 0 when all are registered, 1 when \
      some failed or were cancelled, 65 when a list was rejected, 77 when one cannot be read.
      """)
  var untilDone = false

  @Flag(
    help: """
      Begins a new queue where there was one: it knows nothing of what was registered. What is left of the old one is put \
      aside. For one start only.
      """)
  var newQueue = false

  @Flag(
    help: """
      Goes on with a queue that is older than its spool: lists in done/ that it does not know are read again, and what \
      was registered since may be registered again. For one start only.
      """)
  var olderQueue = false

  func run() throws {
    // A reload that is asked for while the daemon starts, which can take minutes, waits for its handler.
    SignalHandlers.hold(SIGHUP)
    try ProcessHardening.applyOrFail()
    let source = SettingsSource(file: config, instance: instance.instance, environment: instance.environment)
    let loaded = try source.load()
    try loaded.validate()
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
        .tryAgain, "stopped before everything was done", hint: "nothing is lost: the same command goes on from here")
    case .done(let balance): if let exit = Self.exit(balance) { throw ExitCode(exit.rawValue) }
    case .broken(let error): throw error
    case .refused(let error): throw error
    }
  }
}

extension RunCommand {
  /// The worst of what happened: a list that nobody could read, one that was no list, keys that were not registered.
  private static func exit(_ balance: Daemon.Balance) -> Exit? {
    if balance.unreadable > 0 { return .permission }
    if balance.rejected > 0 { return .badList }
    return balance.failed + balance.cancelled > 0 ? .someFailed : nil
  }
}

extension ProcessHardening {
  /// Before a secret is read.
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
