import KeyList
import Registration
import Spool

/// A list as it was read before anybody submits it: its keys counted, its bad lines described.
struct ListCheck {
  private(set) var keys = 0
  private(set) var invalid = 0
  let format: KeyListFormat?
  private var warnings: [String] = []
  private let file: String
  private let cutShort: ListEnding.CutShort?

  /// Bad lines that are described.
  private static let shown = 10

  /// - Parameter file: The name of the list for messages.
  ///
  /// Throws `Failure` for a list without a key.
  init(_ reader: KeyListReader, of file: String) throws {
    self.file = file
    var reader = reader
    var bad: [InvalidLine] = []
    do {
      while let entry = try reader.next() {
        switch entry {
        case .key: keys += 1
        case .invalid(let line):
          if invalid < Receipt.invalidLimit { bad.append(line) }
          invalid += 1
          if invalid <= Self.shown { warnings.append("\(file):\(line.line): \(line.reason)") }
        }
      }
    } catch {
      if case .unreadable = error.kind { throw Failure(.inputOutput, error.description) }
      guard keys > 0 else {
        throw Failure(Rejection(error), of: file)
      }
      warnings.append("\(file): \(error); nothing after it was read")
    }
    guard keys > 0 else {
      throw Failure(Rejection.noValidKey(invalid: bad, invalidCount: invalid), of: file)
    }
    if invalid > Self.shown { warnings.append((invalid - Self.shown).counted("more bad line")) }
    format = reader.format
    cutShort = reader.ending.cutShort
  }

  /// Writes the warnings about bad lines to standard error.
  func warn() {
    for warning in warnings {
      StandardError.write("keyreg: warning: \(PrintableText.escape(SecretText.redacted(warning), limit: 1_000))\n")
    }
  }

  /// Throws `Failure` if an error ended the reading before the list's end.
  func refuseCut(unless isMeant: Bool) throws {
    guard let cutShort, !isMeant else { return }
    throw Failure(
      .badList, "\(file):\(cutShort.line): the list is cut short by an error: \(cutShort.description)",
      hint: "fix it there, or submit what could be read with --partial")
  }
}

extension Failure {
  /// A list that cannot be used.
  fileprivate init(_ rejection: Rejection, of file: String) {
    self.init(.badList, rejection.sentence(in: file), hint: rejection.hint)
  }
}
