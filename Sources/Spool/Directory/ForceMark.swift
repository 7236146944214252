import FoundationEssentials
import Glibc
package import Registration

/// How `submit --force`, `--priority` and `--stop-after` reach a daemon that may not be running: by small files beside
/// the list, named after the list's inode and the time of its last byte. The list's own bytes do not change, and another file
/// that gets the same inode once this one is removed does not get the mark.
extension SpoolDirectory {
  private enum Kind: String, CaseIterable {
    /// Empty: keys that are registered are registered again.
    case force
    /// `ListTerms` as JSON.
    case terms

    var prefix: String { ".keyreg-\(rawValue)-" }
  }

  private static func mark(_ kind: Kind, _ list: FileStatus) -> FileName {
    // If the list disappears unread, this is swept like any temporary file of ours.
    FileName("\(kind.prefix)\(list.identity.inode)-\(list.modified).tmp")
  }

  static func isMark(_ name: FileName) -> Bool {
    Kind.allCases.contains { name.bytes.starts(with: $0.prefix.utf8) }
  }

  /// The marks of lists that still wait to be read, however long that takes.
  func marksInUse() throws(SpoolError) -> Set<FileName> {
    var marks: Set<FileName> = []
    for place in [Subfolder.incoming, .reading] {
      let folder = try folder(place)
      for name in try lists(in: place) {
        guard let status = try folder.status(of: name) else { continue }
        for kind in Kind.allCases { marks.insert(Self.mark(kind, status)) }
      }
    }
    return marks
  }

  /// Marks a list that is not committed yet.
  ///
  /// - Parameters:
  ///   - isForced: Keys that are registered are registered again.
  ///   - terms: How the list is to be processed.
  func mark(_ list: FileStatus, isForced: Bool, terms: ListTerms) throws(SpoolError) {
    let incoming = try folder(.incoming)
    if isForced { _ = try incoming.open(Self.mark(.force, list), flags: O_WRONLY | O_CREAT, mode: 0o640) }
    if !terms.isUsual {
      let file = try NewFile(in: incoming)
      // Two numbers can always be encoded.
      try file.write((try? JSONEncoder().encode(terms)) ?? Data())
      try file.replace(Self.mark(.terms, list))
    }
    if isForced || !terms.isUsual { try incoming.sync() }
  }

  /// Whether the keys of this list are to be registered even if they already are.
  package func isForced(_ file: SpoolFile) throws(SpoolError) -> Bool {
    try folder(.incoming).status(of: Self.mark(.force, file.status))?.kind == .regular
  }

  /// How this list is to be processed.
  package func terms(of file: SpoolFile) throws(SpoolError) -> ListTerms {
    try terms(in: Self.mark(.terms, file.status))
  }

  private func terms(in name: FileName) throws(SpoolError) -> ListTerms {
    guard try folder(.incoming).status(of: name)?.kind == .regular,
      let bytes = beginning(of: name, in: .incoming, bytes: 1_000),
      let terms = try? JSONDecoder().decode(ListTerms.self, from: Data(bytes)),
      ListTerms.priorities.contains(terms.priority), terms.stopAfter.map({ (0...1).contains($0) }) ?? true
    else { return ListTerms() }
    return terms
  }

  /// The options that `submit` was given for a list, if it was changed since, so that they do not apply. Their marks, which
  /// are among `marks`, are removed.
  func takeLostOptions(of list: FileStatus, among marks: [FileName]) throws(SpoolError) -> [String] {
    var options: [String] = []
    for kind in Kind.allCases {
      let start = "\(kind.prefix)\(list.identity.inode)-"
      for mark in marks where mark != Self.mark(kind, list) && mark.bytes.starts(with: start.utf8) {
        switch kind {
        case .force: options.append("--force")
        case .terms: try options += terms(in: mark).options
        }
        try folder(.incoming).remove(mark)
      }
    }
    return options
  }

  /// Removes the marks of a list that has left `reading/`.
  package func clearMarks(_ file: SpoolFile) throws(SpoolError) {
    try unmark(file.status)
  }

  /// Removes the marks of a file, if there are any.
  func unmark(_ list: FileStatus) throws(SpoolError) {
    let incoming = try folder(.incoming)
    for kind in Kind.allCases {
      let mark = Self.mark(kind, list)
      if try incoming.status(of: mark) != nil { try incoming.remove(mark) }
    }
  }
}
