import ArgumentParser
import Glibc
import RegistrationDaemon
import RegistrationQueue

struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Puts a backup in the place of the queue, while the daemon does not run.",
    discussion: """
      The backup is looked through first; a damaged one, or one of a later version, is refused. The old queue is put aside
      in the state directory. At the next start, lists in done/ that the backup does not know are read again. What was
      registered since the backup is registered again, which changes nothing.
      """)

  @OptionGroup var instance: InstanceOptions

  @Option(help: "The configuration file.")
  var config: String?

  @Argument(help: "What keyreg backup wrote, or - for standard input.")
  var file: String

  func run() throws {
    let hangs = GuardedChild.enter()
    let source = SettingsSource(file: config, instance: instance.instance, environment: instance.environment)
    let loaded = try source.load()
    try hangs.refuseForeign(loaded, for: try source.instance)
    guard file == "-" || access(file, F_OK) == 0 else {
      throw Failure(.noSuchFile, "there is no file \(file)", hint: "keyreg backup FILE makes one")
    }
    let directory = try StateDirectory(path: loaded.settings.stateDirectory)
    let restored = try QueueRestore.putInPlace(file, in: directory)
    StandardError.write("restored \(restored.keys) keys of \(restored.lists) lists into \(directory.queuePath)\n")
    if let aside = restored.aside { StandardError.write("the old queue is \(aside)\n") }
  }
}
