import FoundationEssentials
import Glibc
import Registration

/// One JSON line for each request, in the order of the answers, that outlives a kill: every line is one `write(2)` to a
/// file that was opened for appending.
final class Journal: Sendable {
  struct Line: Sendable {
    var time: Timestamp
    var method: String
    /// With its query.
    var path: String
    /// 0 when no answer was sent.
    var status: Int
    /// The fault that played a part.
    var note: String?
  }

  private let descriptor: Int32

  /// Throws `SystemError` when the file cannot be opened or made.
  init(path: String) throws {
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw SystemError("cannot open the journal \(path)") }
  }

  deinit { close(descriptor) }

  /// Returns once the system has the line. Throws `SystemError` when it does not take it.
  func append(_ line: Line) throws {
    let bytes = Array(try line.json.utf8)
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw SystemError("cannot write the journal") }
      written += count
    }
  }
}

extension Journal.Line {
  /// The line with its line feed, members in the order of their declaration.
  var json: String {
    get throws {
      let note = try note.map { ",\"note\":" + (try Self.quoted($0)) } ?? ""
      return "{\"time\":\"\(time)\",\"method\":\(try Self.quoted(method)),\"path\":\(try Self.quoted(path)),"
        + "\"status\":\(status)\(note)}\n"
    }
  }

  private static func quoted(_ text: String) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: try encoder.encode(text), as: UTF8.self)
  }
}

/// A system call that failed.
package struct SystemError: Error, CustomStringConvertible {
  package let description: String

  /// Takes the reason from `errno`.
  init(_ message: String) {
    description = "\(message): \(String(cString: strerror(errno)))"
  }
}
