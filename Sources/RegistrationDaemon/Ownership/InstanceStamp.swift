import Glibc
import Registration

/// A word in a spool and in a state directory that says which instance they belong to.
///
/// A path can be misleading: a bind mount, a copied folder or an unusual name defeats every rule about names. So the
/// first daemon that uses a folder leaves its instance's word there, and all others are refused.
package struct InstanceStamp: Sendable {
  /// The result of another instance's word, or of one that cannot be read.
  package struct Refusal: Error, Sendable, CustomStringConvertible {
    package let description: String
    package let hint: String
    /// `EACCES` and the like when the stamp cannot be read or written, 0 when it names another instance.
    package let code: Int32

    /// The folder cannot be written now; nobody else claims it.
    var mayPass: Bool { [EROFS, ENOSPC, EDQUOT, EACCES].contains(code) }
  }

  package static let fileName = ".keyreg-instance"

  private let path: String
  private let folder: String

  package init(folder: String) {
    self.folder = folder
    path = "\(folder)/\(Self.fileName)"
  }

  /// Throws when the folder belongs to another instance. A folder without a stamp is free, and so is a missing one.
  package func check(for instance: Instance) throws(Refusal) {
    guard let word = try word(), !word.isEmpty else { return }
    if word == instance.word { return }
    guard let owner = Instance(word: word) else {
      throw Refusal(
        description: "\(path) does not name an instance: “\(PrintableText.escape(word, limit: 80))”",
        hint: "if \(folder) belongs to \(instance), write “\(instance.word)” into it", code: 0)
    }
    throw Refusal(
      description: "\(folder) belongs to \(owner), not to \(instance)",
      hint: "give \(instance) a folder of its own; if this one has changed hands, remove \(path)", code: 0)
  }

  /// The instance that the stamp names; nil without one, or for one that names none.
  var owner: Instance? { (try? word()).flatMap { $0 }.flatMap(Instance.init(word:)) }

  /// Writes the word of `instance` if there is none. Only the one daemon of the folder may call this.
  package func leave(for instance: Instance) throws(Refusal) {
    try check(for: instance)
    guard try word() != instance.word else { return }
    // A stamp that a power cut left empty is written again. Operators may read it: they submit lists here.
    let text = instance.word + "\n"
    do throws(SystemFault) {
      let descriptor = try FileIO.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o644)
      defer { close(descriptor) }
      try FileIO.write(text.utf8.span.bytes, to: descriptor)
      try FileIO.sync(descriptor)
    } catch {
      throw failure("write", error.code)
    }
  }

  /// Nil without a stamp; empty when a power cut left it so.
  private func word() throws(Refusal) -> String? {
    do throws(SystemFault) {
      let descriptor = try FileIO.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      defer { close(descriptor) }
      let bytes = try FileIO.read(descriptor, upTo: 256)
      return String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
    } catch {
      if error.code == ENOENT || error.code == ENOTDIR { return nil }
      throw failure("read", error.code)
    }
  }

  private func failure(_ action: String, _ code: Int32) -> Refusal {
    Refusal(
      description: "cannot \(action) \(path): \(String(cString: strerror(code)))",
      hint: "the daemon must be able to read and write \(folder)", code: code)
  }
}
