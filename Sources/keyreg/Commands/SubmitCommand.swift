import ArgumentParser
import ControlAPI
import Foundation
import Glibc
import KeyList
import Registration
import RegistrationDaemon
import Spool

struct SubmitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit", abstract: "Validate a key list and drop it into the spool. Prints the list's name.",
    discussion: """
      The daemon need not be running: the list waits in the spool. Bad lines are reported and skipped. A list without \
      a single key is refused (exit code 65), and so is one that is cut short by an error, unless --partial is given: \
      then what was read before the error is submitted.

      With --dry-run, nothing is submitted, changed or sent. The command says what would happen: how the list is read, \
      how many of its keys are new, how many requests they take, and how long these take at the limit that the daemon \
      knows.
      """)

  @OptionGroup var instance: InstanceOptions

  @Option(help: "The configuration file, which names the spool.")
  var config: String?

  @Option(help: "The list's name; by default the name of the file.")
  var name: String?

  @Flag(help: "Register keys even if they are already registered.")
  var force = false

  @Flag(help: "Submit what could be read of a list that is cut short by an error.")
  var partial = false

  @OptionGroup var terms: TermsOptions

  @Flag(help: "Only say what would happen.")
  var dryRun = false

  @Option(help: "The control socket of the daemon that is to take the lists (or KEYREG_SOCKET).")
  var socket: String?

  @Argument(help: "Key lists, or - for standard input.")
  var files: [String]

  func validate() throws {
    if files.isEmpty { throw ValidationError("name a file, or - for standard input") }
    try terms.validate()
    if name != nil, files.count > 1 { throw ValidationError("--name takes a single file") }
  }

  func run() throws {
    let hangs = GuardedChild.enter()
    let source = SettingsSource(file: config, instance: instance.instance, environment: instance.environment)
    let loaded = try source.load()
    let asked = try source.instance
    let configured = SpoolDirectory(path: loaded.settings.spoolDirectory)
    let target = try SubmitTarget(loaded, for: asked, socket: socket, isConfigured: config != nil) { served, own in
      hangs.run(orEndWith: Self.hung(configured)) { SubmitTarget.isSameFolder(served, own) }
    }
    // One wait for a silent daemon is enough.
    if dryRun, let fault = target.fault as? ControlClientError, fault == .timedOut { throw Failure(fault) }
    let client = target.fault == nil ? target.client : nil
    let spool = SpoolDirectory(path: target.spool)
    try hangs.run(orEndWith: Self.hung(spool)) {
      do {
        try target.check(loaded, for: asked)
      } catch let error as InstanceStamp.Refusal {
        throw Self.denied(Failure(error), error.code, spool)
      }
    }
    var failure: Failure?
    for file in files {
      do {
        if dryRun {
          try look(at: file, limit: target.maxFileSize, target.client)
          continue
        }
        let (name, summary) = try submit(file, to: spool, limit: target.maxFileSize, client, hangs)
        try StandardOutput.line(name.text)
        StandardError.write(summary.text)
      } catch {
        // The other lists are submitted nevertheless; the command ends with the last error.
        if let failure { StandardError.write(failure.text) }
        failure = Failure(error)
      }
    }
    if let failure { throw failure }
  }

  private func look(at file: String, limit: Int, _ client: ControlClient) throws {
    let listName = try name.map { (text) throws in try ListName(text) } ?? defaultName(for: file)
    var bytes: [UInt8] = []
    try InputFile(file).copy(limit: limit) { bytes += $0 }
    let check = try ListCheck(KeyListReader(bytes: bytes), of: file)
    check.warn()
    try check.refuseCut(unless: partial)
    let preview: PreviewDocument?
    do {
      preview = try DaemonProbe.during(client) { try client.preview(bytes, name: listName.text, force: force) }
    } catch ControlClientError.notRunning {
      preview = nil
    }
    try StandardOutput.write(ListSummary(check, preview, name: listName.text).text)
  }

  /// Bytes up to which the daemon is asked about a list that is submitted.
  private static let largestLook = 16 << 20

  private func submit(
    _ file: String, to spool: SpoolDirectory, limit: Int, _ client: ControlClient?, _ hangs: HangGuard
  ) throws -> (ListName, ListSummary) {
    let listName = try name.map { (text) throws in try ListName(text) } ?? defaultName(for: file)
    let hung = Self.hung(spool)
    var drop: Drop? = try hangs.run(orEndWith: hung) { try begin(in: spool) }
    // A list that was not committed is removed with its last owner.
    defer { hangs.run(orEndWith: hung) { drop = nil } }
    var size = 0.0
    var bytes: [UInt8] = []
    try InputFile(file).copy(limit: limit) { piece in
      size += Double(piece.count)
      if size <= Double(Self.largestLook) { bytes += piece }
      try hangs.run(orEndWith: hung) { try drop?.write(piece) }
    }
    let patience = HangGuard.patience + size / Self.slowestDisk
    guard let list = try hangs.run(orEndWith: hung, { try drop?.open() }) else { throw hung }
    // It was just written, so this hardly reads the disk.
    let check = try hangs.run(within: patience, orEndWith: hung) { try ListCheck(list.reader(), of: file) }
    check.warn()
    try check.refuseCut(unless: partial)
    // For information only: a daemon that does not run or answer takes the list later.
    let preview =
      Double(bytes.count) == size ? try? client?.preview(bytes, name: listName.text, force: force, isBrief: true) : nil
    try hangs.run(within: patience, orEndWith: hung) { try drop?.sync() }
    let unknown = Failure(
      .tryAgain,
      "\(HangGuard.silence(of: spool.path).message); \(listName) may still be submitted once it answers",
      hint: "run keyreg lists before you submit it again; a key that is submitted twice is registered once")
    var known = KnownNames(client: client)
    let taken =
      try hangs.run(orEndWith: unknown) {
        try drop?.commit(as: listName, force: force, terms: terms.terms) { known.contains($0) }
      } ?? listName
    return (taken, ListSummary(check, preview, name: taken.text))
  }

  /// Bytes per second of the slowest disk that is expected.
  private static let slowestDisk = 4_000_000.0

  private static func hung(_ spool: SpoolDirectory) -> Failure {
    let error = HangGuard.silence(of: spool.path)
    return Failure(.tryAgain, error.message + "; the list was not submitted", hint: error.hint)
  }

  /// Names the group of those who may submit lists, if that is what is missing.
  private static func denied(_ failure: Failure, _ code: Int32, _ spool: SpoolDirectory) -> Failure {
    guard [EACCES, EPERM].contains(code), let hint = AccessHint.joining(for: "\(spool.path)/incoming/.") else {
      return failure
    }
    return Failure(failure.exit, failure.message, hint: hint)
  }

  /// Never creates a spool: a list in a folder that no daemon serves would wait for ever.
  private func begin(in spool: SpoolDirectory) throws -> Drop {
    do throws(SpoolError) {
      return try spool.beginDrop()
    } catch {
      guard error.kind == .missing else { throw Self.denied(Failure(error), error.code, spool) }
      throw Failure(
        .noSuchFile, "there is no spool at \(spool.path)",
        hint: "keyreg run creates it when it first starts; check spool.directory with keyreg check")
    }
  }

  private func defaultName(for file: String) -> ListName {
    guard file != "-" else { return ListName(of: FileName("stdin-\(Timestamp.now().milliseconds).txt")) }
    let last = file.split(separator: "/").last.map(String.init) ?? file
    // A name that the watcher would ignore is changed to one that it takes.
    let name = FileName(last)
    return ListName(of: name.isIgnored ? FileName("list-" + last + ".txt") : name)
  }
}
