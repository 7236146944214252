import FoundationEssentials
import Glibc
import Registration

/// One JSON line for each request, in the order of the answers. It survives a kill: every line is one `write(2)` to a
/// file opened for appending.
final class RequestJournal: Sendable {
  struct Line: Sendable {
    var time: Timestamp
    var method: String
    /// With its query.
    var path: String
    /// 0 when no answer was sent.
    var status: Int
    /// The fault that affected the request.
    var note: String?
  }

  private let descriptor: Int32

  /// Throws `SystemError` when the file cannot be opened or created.
  init(path: String) throws {
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw SystemError("cannot open the journal \(path)", SystemFault(code: errno))
    }
  }

  deinit { close(descriptor) }

  /// Returns once the system has the line. Throws `SystemError` when it does not accept it.
  func append(_ line: Line) throws {
    let text = try line.json
    do throws(SystemFault) {
      try FileIO.write(text.utf8.span.bytes, to: descriptor)
    } catch {
      throw SystemError("cannot write the journal", error)
    }
  }
}

extension RequestJournal.Line {
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

  init(_ message: String, _ fault: SystemFault) {
    description = "\(message): \(fault.text)"
  }
}
