// A secret in a file of its own, and the care that is due before its content is believed: what was opened is what is
// checked (fstat, never stat before open), and a file that others can read or replace is refused, not warned about.

import Glibc

/// A file that holds one secret and nothing else.
///
/// Symbolic links are followed, because secret stores and configuration management hand out links; the checks are made on
/// the file that was opened in the end, so a link cannot lend trust to what it points at. In the credentials directory,
/// where systemd places plain files, links are not followed.
package struct CredentialFile: Hashable, Sendable {
  package let path: String
  /// `$CREDENTIALS_DIRECTORY`, where systemd places `LoadCredential=` files for this service alone. Nil when there is none.
  package let credentialsDirectory: String?

  package init(path: String, credentialsDirectory: String?) {
    self.path = path
    self.credentialsDirectory = credentialsDirectory
  }

  /// The credential `name` of `credentialsDirectory`, nil when there is no such directory or nothing by that name in it.
  ///
  /// A file of at most one byte is nothing: a unit that wants to start without the credential has `SetCredential=` hand over
  /// a lone line end, since systemd 252 cannot hand over an empty one.
  package init?(named name: String, in credentialsDirectory: String?) {
    guard let credentialsDirectory, !credentialsDirectory.isEmpty else { return nil }
    let path = credentialsDirectory + "/" + name
    var status = stat()
    guard lstat(path, &status) == 0, status.st_size > 1 else { return nil }
    self.init(path: path, credentialsDirectory: credentialsDirectory)
  }

  /// Reads the secret: at most 4 KiB of visible ASCII in a regular file, one line end stripped.
  ///
  /// The file must belong to root or to the user of this process and give group and others no access at all. In the
  /// credentials directory the group's part of the mode is systemd's business: it grants access to the service by an access
  /// control list, whose mask shows as group permission.
  package func read() throws(CredentialError) -> Secret {
    let isProvided = isInCredentialsDirectory
    // Non-blocking, so that a FIFO without a writer is refused at once instead of waited for.
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (isProvided ? O_NOFOLLOW : 0)
    let descriptor = open(path, flags)
    guard descriptor >= 0 else { throw openingFailed(errno) }
    defer { close(descriptor) }
    try check(descriptor, isProvided: isProvided)
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

  private func check(_ descriptor: Int32, isProvided: Bool) throws(CredentialError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw readingFailed(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CredentialError(.refused, "\(path) is not a regular file", hint: "name a file that holds the key")
    }
    guard status.st_uid == 0 || status.st_uid == geteuid() else {
      throw CredentialError(
        .refused, "\(path) belongs to another user (uid \(status.st_uid))",
        hint: "its owner can change it: make it root's or the daemon's with chown")
    }
    guard status.st_mode & (isProvided ? 0o007 : 0o077) == 0 else {
      throw CredentialError(
        .refused, "\(path) is open to its group or to others (mode \(Self.octal(status.st_mode)))",
        hint: "chmod 600 \(path)")
    }
    guard status.st_size <= Secret.maximumLength + 2 else {
      throw CredentialError(
        .malformed, "\(path) is longer than \(Secret.maximumLength) bytes", hint: "is it the right file?")
    }
  }

  /// The whole content, or one byte more than a secret and its line end can have when there is more.
  private func content(of descriptor: Int32) throws(CredentialError) -> [UInt8] {
    let capacity = Secret.maximumLength + 3
    var bytes = [UInt8](repeating: 0, count: capacity)
    var filled = 0
    while filled < capacity {
      let count = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress?.advanced(by: filled), capacity - filled)
      }
      if count == 0 { break }
      if count > 0 {
        filled += count
      } else if errno != EINTR {
        throw readingFailed(errno)
      }
    }
    return Array(bytes.prefix(filled))
  }

  private func openingFailed(_ code: Int32) -> CredentialError {
    switch code {
    case ENOENT, ENOTDIR:
      CredentialError(.missing, "there is no file \(path)", hint: "create it with mode 600, the key on its only line")
    case EACCES, EPERM:
      CredentialError(
        .unreadable, "\(path) cannot be opened: permission denied",
        hint: "run as its owner, or let systemd hand it over with LoadCredential=")
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
