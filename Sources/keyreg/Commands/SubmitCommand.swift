import ArgumentParser
import Foundation
import Glibc
import KeyList
import Registration
import RegistrationDaemon
import Spool

struct SubmitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit", abstract: "Validates a key list and drops it into the spool. Prints the list's name.",
    discussion: """
      Works with a daemon that is not running: the list waits in the spool. Bad lines are told and left out; a list \
      without a single key is refused (exit code 65), and so is one that is cut short by an error, unless --partial is \
      given.
      """)

  @OptionGroup var instance: InstanceOptions

  @Option(help: "The configuration file, for the spool's place.")
  var config: String?

  @Option(help: "The list's name; the file's name otherwise.")
  var name: String?

  @Flag(help: "Register again keys that are registered already.")
  var force = false

  @Flag(help: "Take what could be read of a list that is cut short by an error.")
  var partial = false

  @Argument(help: "Key lists, or - for standard input.")
  var files: [String]

  func validate() throws {
    if files.isEmpty { throw ValidationError("name a file, or - for standard input") }
    if name != nil, files.count > 1 { throw ValidationError("--name goes with one file") }
  }

  func run() throws {
    let hangs = GuardedChild.enter()
    let source = SettingsSource(file: config, instance: instance.instance, environment: instance.environment)
    let loaded = try source.load()
    let settings = loaded.settings
    let spool = SpoolDirectory(path: settings.spoolDirectory)
    try hangs.run(orEndWith: Self.hung(spool)) {
      try loaded.refuseForeign([.spool], for: source.instance)
      try InstanceStamp(folder: settings.spoolDirectory).check(for: source.instance)
    }
    var failure: Failure?
    for file in files {
      do {
        let submitted = try submit(file, to: spool, limit: settings.maxFileSize, hangs)
        try StandardOutput.line(submitted.text)
      } catch {
        // The other lists are not to suffer for this one; the last word is its error.
        if let failure { StandardError.write(failure.text) }
        failure = Failure(error)
      }
    }
    if let failure { throw failure }
  }

  private func submit(
    _ file: String, to spool: SpoolDirectory, limit: Int, _ hangs: HangGuard
  ) throws -> ListName {
    let listName = try name.map { (text) throws in try ListName(text) } ?? defaultName(for: file)
    let hung = Self.hung(spool)
    var drop: Drop? = try hangs.run(orEndWith: hung) { try begin(in: spool) }
    // A list that was not committed is removed with its last owner.
    defer { hangs.run(orEndWith: hung) { drop = nil } }
    var size = 0.0
    try InputFile(file).copy(limit: limit) { piece in
      size += Double(piece.count)
      try hangs.run(orEndWith: hung) { try drop?.write(piece) }
    }
    let patience = HangGuard.patience + size / Self.slowestDisk
    if let list = try hangs.run(orEndWith: hung, { try drop?.open() }) {
      // It was just written, so this hardly reads the disk.
      try hangs.run(within: patience, orEndWith: hung) { try validate(list, as: file) }
    }
    try hangs.run(within: patience, orEndWith: hung) { try drop?.sync() }
    let unknown = Failure(
      .tryAgain,
      "\(HangGuard.silence(of: spool.path).message); whether \(listName) was submitted is not known: it may yet be, once it answers",
      hint: "see with keyreg lists before you submit it again; keys that come twice are registered once")
    return try hangs.run(orEndWith: unknown) { try drop?.commit(as: listName, force: force) } ?? listName
  }

  /// Bytes a second that the slowest of disks is expected to take.
  private static let slowestDisk = 4_000_000.0

  private static func hung(_ spool: SpoolDirectory) -> Failure {
    let error = HangGuard.silence(of: spool.path)
    return Failure(.tryAgain, error.message + "; the list was not submitted", hint: error.hint)
  }

  /// Never makes a spool: a list in a folder that no daemon serves would wait for ever.
  private func begin(in spool: SpoolDirectory) throws -> Drop {
    do throws(SpoolError) {
      return try spool.beginDrop()
    } catch {
      guard error.kind == .missing else { throw error }
      throw Failure(
        .noSuchFile, "there is no spool at \(spool.path)",
        hint: "keyreg run makes it at its first start; is spool.directory right? keyreg check shows it")
    }
  }

  private func defaultName(for file: String) -> ListName {
    guard file != "-" else { return ListName(of: FileName("stdin-\(Timestamp.now().milliseconds).txt")) }
    let last = file.split(separator: "/").last.map(String.init) ?? file
    // What the watcher would leave alone is given a name that it takes.
    let name = FileName(last)
    return ListName(of: name.isLeftAlone ? FileName("list-" + last + ".txt") : name)
  }

  /// Tells bad lines, and refuses a list without a key.
  private func validate(_ file: SpoolFile, as name: String) throws {
    var reader = file.reader()
    var valid = 0
    var invalid = 0
    var first: InvalidLine?
    var warnings: [String] = []
    do {
      while let entry = try reader.next() {
        switch entry {
        case .key: valid += 1
        case .invalid(let line):
          first = first ?? line
          invalid += 1
          if invalid <= 10 { warnings.append("\(name):\(line.line): \(line.reason)") }
        }
      }
    } catch {
      if case .unreadable = error.kind { throw Failure(.inputOutput, error.description) }
      guard valid > 0 else {
        let place = error.line.map { "\(name):\($0)" } ?? name
        throw Failure(.badList, "\(place): \(error.message)", hint: error.hint)
      }
      warnings.append("\(name): \(error); nothing after it is read")
    }
    guard valid > 0 else {
      let rejection = Rejection.noValidKey(firstInvalid: first, invalidCount: invalid)
      let place = rejection.line.map { "\(name):\($0)" } ?? name
      throw Failure(.badList, "\(place): \(rejection.what)", hint: rejection.hint)
    }
    if invalid > 10 { warnings.append("\(invalid - 10) more bad lines") }
    for warning in warnings {
      StandardError.write("keyreg: warning: \(PrintableText.escape(SecretText.redacted(warning), limit: 1_000))\n")
    }
    if let cut = reader.ending.cutShort, !partial {
      throw Failure(
        .badList, "\(name):\(cut.line): the list is cut short by an error: \(cut.description)",
        hint: "mend it there, or take what was read with --partial")
    }
  }
}
