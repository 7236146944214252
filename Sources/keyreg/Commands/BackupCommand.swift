import ArgumentParser
import ControlAPI
import Foundation
import Glibc

struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Writes a consistent copy of the queue, while the daemon works.",
    discussion: """
      The daemon makes the copy and looks it through. FILE appears only when it is whole and on the disk, and replaces what
      had the name. keyreg restore puts it in place.
      """)

  @OptionGroup var options: ClientOptions

  @Argument(help: "Where to, or - for standard output.")
  var file: String

  func run() throws {
    let client = try options.client()
    if file == "-" {
      try stream(from: client) { bytes in try StandardOutput.write(bytes) }
      return
    }
    for suffix in ["-wal", ".mark"] where access(file + suffix, F_OK) == 0 {
      throw Failure(
        .usage, "\(file) is a queue in use (\(file)\(suffix) is beside it)", hint: "give the backup another name")
    }
    let temporary = "\(file).\(getpid()).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw Self.failure("make", temporary) }
    var isNamed = false
    defer {
      close(descriptor)
      if !isNamed { unlink(temporary) }
    }
    try stream(from: client) { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { throw Self.failure("write", temporary) }
      }
    }
    guard fsync(descriptor) == 0 else { throw Self.failure("write", temporary) }
    guard rename(temporary, file) == 0 else { throw Self.failure("name", file) }
    isNamed = true
    let folder = open(URL(filePath: file).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw Self.failure("sync the folder of", file) }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw Self.failure("sync the folder of", file) }
  }

  private func stream(from client: ControlClient, _ take: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
    var failure: (any Error)?
    try DaemonProbe.during(client) {
      try client.backup { bytes in
        do {
          try take(bytes)
          return true
        } catch {
          failure = error
          return false
        }
      }
    }
    if let failure { throw failure }
  }

  private static func failure(_ verb: String, _ path: String) -> Failure {
    let code = errno
    return Failure(
      code == EACCES || code == EPERM ? .permission : .inputOutput,
      "cannot \(verb) \(path): \(String(cString: strerror(code)))")
  }
}
