// A secret in a file of its own, and the checks before its content is used. The opened file is checked (fstat, never
// stat before open), and a file that others can read or replace is refused, not warned about.

import Glibc
import Registration

/// A file that contains one secret and nothing else.
///
/// Symbolic links are followed, because secret stores and configuration management use them. The checks apply to the
/// file that was finally opened, so a link cannot lend trust to its target. In the credentials directory, where systemd
/// puts plain files, links are not followed.
package struct CredentialFile: Hashable, Sendable {
  package let path: String
  /// `$CREDENTIALS_DIRECTORY`, where systemd puts `LoadCredential=` files for this service alone. Nil when there is
  /// none.
  package let credentialsDirectory: String?

  package init(path: String, credentialsDirectory: String?) {
    self.path = path
    self.credentialsDirectory = credentialsDirectory
  }

  /// The credential `name` of `credentialsDirectory`, nil when there is no such directory or file.
  ///
  /// A file of one byte counts as missing: to start without the credential, a unit passes a single line end with
  /// `SetCredential=`, since systemd 252 cannot pass an empty one. An empty file is a mistake, and `read` says so.
  package init?(named name: String, in credentialsDirectory: String?) {
    guard let credentialsDirectory, !credentialsDirectory.isEmpty else { return nil }
    let path = credentialsDirectory + "/" + name
    var status = stat()
    guard lstat(path, &status) == 0, status.st_size != 1 else { return nil }
    self.init(path: path, credentialsDirectory: credentialsDirectory)
  }

  /// Reads the secret: at most 4 KiB of visible ASCII in a regular file, one line end stripped.
  ///
  /// The file must belong to root or to the user of this process and give group and others no access at all. In the
  /// credentials directory the group's mode bits are ignored: systemd grants the service access by an access control
  /// list, whose mask shows as group permission.
  ///
  /// - Parameter user: The daemon's user, whose file it may be as well: for root, who asks on the daemon's behalf.
  package func read(for user: UInt32? = nil) throws(CredentialError) -> Secret {
    let isProvided = isInCredentialsDirectory
    // Non-blocking, so that a FIFO without a writer is refused at once.
    let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | (isProvided ? O_NOFOLLOW : 0)
    let descriptor: Int32
    do throws(SystemFault) {
      descriptor = try FileIO.open(path, flags)
    } catch {
      throw openingFailed(error.code)
    }
    defer { close(descriptor) }
    try check(descriptor, isProvided: isProvided, owners: [0, geteuid(), user ?? 0])
    return try Secret(content(of: descriptor), from: path)
  }

  private var isInCredentialsDirectory: Bool {
    guard let credentialsDirectory, !credentialsDirectory.isEmpty else { return false }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    var ours = stat()
    var theirs = stat()
    guard stat(folder, &ours) == 0, stat(credentialsDirectory, &theirs) == 0 else { return false }
    return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino
  }

  private func check(_ descriptor: Int32, isProvided: Bool, owners: Set<UInt32>) throws(CredentialError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw readingFailed(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CredentialError(.refused, "\(path) is not a regular file", hint: "name a file that holds the key")
    }
    guard owners.contains(status.st_uid) else {
      throw CredentialError(
        .refused, "\(path) belongs to another user (uid \(status.st_uid))",
        hint: "its owner could change it; give it to root or the daemon's user with chown")
    }
    guard status.st_mode & (isProvided ? 0o007 : 0o077) == 0 else {
      throw CredentialError(
        .refused, "\(path) is accessible to its group or to others (mode \(Self.octal(status.st_mode)))",
        hint: "chmod 600 \(path)")
    }
    guard status.st_size <= Secret.maximumLength + 2 else {
      throw CredentialError(
        .malformed, "\(path) is longer than \(Secret.maximumLength) bytes", hint: "check that it is the right file")
    }
  }

  /// The whole content; of a longer file, one byte more than a secret and its line end can have.
  private func content(of descriptor: Int32) throws(CredentialError) -> [UInt8] {
    do throws(SystemFault) {
      return try FileIO.read(descriptor, upTo: Secret.maximumLength + 3)
    } catch {
      throw readingFailed(error.code)
    }
  }

  private func openingFailed(_ code: Int32) -> CredentialError {
    switch code {
    case ENOENT, ENOTDIR:
      CredentialError(
        .missing, "there is no file \(path)", hint: "create it with mode 600, with the key as its only line")
    case EACCES, EPERM:
      CredentialError(
        .unreadable, "\(path) cannot be opened: permission denied",
        hint: "run as its owner, or let systemd pass it with LoadCredential=")
    case ELOOP:
      CredentialError(.refused, "\(path) is a symbolic link", hint: "put a plain file in its place")
    case ENXIO:
      CredentialError(.refused, "\(path) is not a regular file", hint: "name a file that holds the key")
    default:
      readingFailed(code)
    }
  }

  private func readingFailed(_ code: Int32) -> CredentialError {
    CredentialError(
      .unreadable, "\(path) cannot be read: \(String(cString: strerror(code)))", hint: "check the file system")
  }

  private static func octal(_ mode: mode_t) -> String {
    let digits = String(mode & 0o7777, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
