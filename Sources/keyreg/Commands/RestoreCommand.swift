import ArgumentParser
import Glibc
import Registration
import RegistrationDaemon
import RegistrationQueue

struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Put a backup in place of the queue while the daemon is stopped.",
    discussion: """
      The backup is checked first; a damaged one, or one from a later version, is refused. The old queue is kept under \
      another name in the state directory. At the next start, lists in done/ that the backup does not know are read \
      again. Keys that were registered after the backup are registered again, which changes nothing.

      A backup of another instance is refused: its keys would count as registered where they are not. If the keys were \
      registered with another endpoint, a warning says so.
      """)

  @OptionGroup var instance: InstanceOptions

  @Option(help: "The configuration file.")
  var config: String?

  @Option(help: "Accept a backup of this instance, which has been renamed (keyreg: the main instance).")
  var fromInstance: String?

  @Argument(help: "A file written by keyreg backup, or - for standard input.")
  var file: String

  func run() throws {
    let hangs = GuardedChild.enter()
    let source = SettingsSource(file: config, instance: instance.instance, environment: instance.environment)
    let loaded = try source.load()
    let instance = try source.instance
    try hangs.refuseForeign(loaded, for: instance)
    try InstanceStamp(folder: loaded.settings.stateDirectory).check(for: instance)
    guard file == "-" || access(file, F_OK) == 0 else {
      throw Failure(.noSuchFile, "there is no file \(file)", hint: "keyreg backup FILE writes one")
    }
    let origin = try fromInstance.map(Self.instance)
    if file != "-" { try BackupPlace.refuseForeign(file, for: instance, from: origin) }
    let expected = QueueOrigin.Expected(
      QueueOrigin(instance: instance.name, endpoint: loaded.settings.endpoint.base),
      fromInstance: origin.map(\.name))
    let directory = try StateDirectory(path: loaded.settings.stateDirectory)
    let restored = try QueueRestore.putInPlace(file, in: directory, expected: expected)
    StandardError.write(
      "restored \(restored.keys.counted("key")) of \(restored.lists.counted("list")) to \(directory.queuePath)\n")
    if let other = restored.otherEndpoint {
      StandardError.write(
        """
        warning: its keys were registered with \(PrintableText.escape(other)); if the daemon uses another endpoint, they \
        count as registered there, too\n
        """)
    }
    if let aside = restored.aside { StandardError.write("the old queue is kept as \(aside)\n") }
  }

  private static func instance(_ word: String) throws -> Instance {
    guard let instance = Instance(word: word) else {
      throw Failure(
        .usage, "“\(word)” cannot be the name of an instance", hint: "the main instance is --from-instance keyreg")
    }
    return instance
  }
}
