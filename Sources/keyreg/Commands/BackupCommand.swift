import ArgumentParser
import ControlAPI
import Foundation
import Glibc
import Registration
import RegistrationQueue

struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Write a consistent copy of the queue while the daemon runs.",
    discussion: """
      The daemon makes the copy and checks it. FILE appears only when the copy is complete and on disk, and replaces any \
      regular file of that name. To use the copy, run keyreg restore.
      """)

  @OptionGroup var options: ClientOptions

  @Argument(help: "The file to write, or - for standard output.")
  var file: String

  func run() throws {
    let client = try options.client()
    if file == "-" {
      try stream(from: client) { bytes in try StandardOutput.write(bytes.bytes) }
      return
    }
    try Self.refuseSpecial(file)
    for suffix in ["-wal", ".mark"] where access(file + suffix, F_OK) == 0 {
      throw Failure(
        .usage, "\(file) is a queue in use (\(file)\(suffix) exists)", hint: "choose another name for the backup")
    }
    let temporary = "\(file).\(getpid()).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw Self.failure("create", temporary) }
    var isNamed = false
    defer {
      close(descriptor)
      if !isNamed { unlink(temporary) }
    }
    try stream(from: client, into: temporary) { bytes in
      do throws(SystemFault) {
        try FileIO.write(bytes.bytes, to: descriptor)
      } catch {
        throw Self.failure("write", temporary, error)
      }
    }
    guard fsync(descriptor) == 0 else { throw Self.failure("write", temporary) }
    try Self.refuseSpecial(file)
    guard rename(temporary, file) == 0 else { throw Self.failure("rename the copy to", file) }
    isNamed = true
    let folder = open(URL(filePath: file).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw Self.failure("sync the folder of", file) }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw Self.failure("sync the folder of", file) }
  }

  private func stream(
    from client: ControlClient, into file: String? = nil, _ take: @escaping (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var failure: (any Error)?
    var check = BackupCheck()
    try DaemonProbe.during(client, removing: file) {
      try client.backup { bytes in
        do {
          try check.take(bytes, passOn: take)
          return true
        } catch {
          failure = error
          return false
        }
      }
    }
    do {
      if let failure { throw failure }
      try check.finish()
    } catch let fault as BackupFault {
      throw ControlClientError.malformed(fault.description)
    }
  }

  /// Only a regular file is replaced: no device, pipe, link or folder.
  private static func refuseSpecial(_ file: String) throws {
    var status = stat()
    guard lstat(file, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
    let kind =
      switch status.st_mode & S_IFMT {
      case S_IFDIR: "a folder"
      case S_IFLNK: "a symbolic link"
      case S_IFIFO: "a pipe"
      default: "a device or socket"
      }
    throw Failure(
      .usage, "\(file) is \(kind), which a backup does not replace",
      hint: "name a file; or write to standard output: keyreg backup - > FILE")
  }

  private static func failure(
    _ verb: String, _ path: String, _ fault: SystemFault = SystemFault(code: errno)
  ) -> Failure {
    Failure(
      [EACCES, EPERM].contains(fault.code) ? .permission : .inputOutput, "cannot \(verb) \(path): \(fault.text)")
  }
}
