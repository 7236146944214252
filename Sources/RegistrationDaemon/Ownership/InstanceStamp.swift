import Glibc
import Registration

/// The word in a spool and in a state directory that says which instance they belong to.
///
/// A path can lie: a bind mount, a copied folder or a name of one's own leads past every rule about names. So the first
/// daemon that uses a folder leaves its instance's word there, and everybody else is refused.
package struct InstanceStamp: Sendable {
  /// What the word of another instance, or none that can be read, leads to.
  package struct Refusal: Error, Sendable, CustomStringConvertible {
    package let description: String
    package let hint: String
    /// `EACCES` and the like when the stamp cannot be read or written, 0 when it says something else.
    package let code: Int32

    /// The folder cannot be written just now; nobody else claims it.
    var mayPass: Bool { [EROFS, ENOSPC, EDQUOT, EACCES].contains(code) }
  }

  package static let fileName = ".keyreg-instance"

  private let path: String
  private let folder: String

  package init(folder: String) {
    self.folder = folder
    path = "\(folder)/\(Self.fileName)"
  }

  /// Throws when the folder belongs to another instance. One without a stamp is everybody's, and so is one that is not
  /// there.
  package func check(for instance: Instance) throws(Refusal) {
    guard let word = try word(), !word.isEmpty else { return }
    if word == instance.word { return }
    guard let owner = Instance(word: word) else {
      throw Refusal(
        description: "\(path) does not name an instance: “\(PrintableText.escape(word, limit: 80))”",
        hint: "write “\(instance.word)” into it if \(folder) is \(instance)'s", code: 0)
    }
    throw Refusal(
      description: "\(folder) belongs to \(owner), not to \(instance)",
      hint: "give \(instance) a folder of its own; if this one has changed hands, remove \(path)", code: 0)
  }

  /// Leaves the word of `instance` where there is none. To be called by the only daemon of the folder.
  package func leave(for instance: Instance) throws(Refusal) {
    try check(for: instance)
    guard try word() != instance.word else { return }
    // A stamp that a power cut left empty is written anew. Operators may read it: they submit lists here.
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw failure("write", errno) }
    defer { close(descriptor) }
    let text = instance.word + "\n"
    let count = text.withCString { pwrite(descriptor, $0, text.utf8.count, 0) }
    guard count == text.utf8.count, fsync(descriptor) == 0 else { throw failure("write", errno) }
  }

  /// Nil without a stamp; empty when a power cut left it so.
  private func word() throws(Refusal) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure("read", errno)
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { throw failure("read", errno) }
    return String(decoding: bytes.prefix(count).prefix { $0 != 0x0a }, as: UTF8.self)
  }

  private func failure(_ action: String, _ code: Int32) -> Refusal {
    Refusal(
      description: "cannot \(action) \(path): \(String(cString: strerror(code)))",
      hint: "the daemon must be able to read and write \(folder)", code: code)
  }
}
