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
      """)

  @OptionGroup var instance: InstanceOptions

  @Option(help: "The configuration file.")
  var config: String?

  @Argument(help: "A file written by keyreg backup, or - for standard input.")
  var file: String

  func run() throws {
    let hangs = GuardedChild.enter()
    let source = SettingsSource(file: config, instance: instance.instance, environment: instance.environment)
    let loaded = try source.load()
    try hangs.refuseForeign(loaded, for: try source.instance)
    guard file == "-" || access(file, F_OK) == 0 else {
      throw Failure(.noSuchFile, "there is no file \(file)", hint: "keyreg backup FILE writes one")
    }
    let directory = try StateDirectory(path: loaded.settings.stateDirectory)
    let restored = try QueueRestore.putInPlace(file, in: directory)
    StandardError.write(
      "restored \(restored.keys.counted("key")) of \(restored.lists.counted("list")) to \(directory.queuePath)\n")
    if let aside = restored.aside { StandardError.write("the old queue is kept as \(aside)\n") }
  }
}
