import Glibc

/// How `submit --force` reaches a daemon that may not be running: an empty file beside the list, named for the list's
/// inode. The list's own bytes stay as they are, and no list of another file can be taken for forced.
extension SpoolDirectory {
  private static let prefix = ".keyreg-force-"

  private static func mark(_ identity: FileStatus.Identity) -> FileName {
    // Swept like any temporary file of ours, should the list vanish without being read.
    FileName("\(prefix)\(identity.inode).tmp")
  }

  static func isForceMark(_ name: FileName) -> Bool { name.bytes.starts(with: prefix.utf8) }

  /// The marks of lists that still wait to be read, however long that takes.
  func marksInUse() throws(SpoolError) -> Set<FileName> {
    var marks: Set<FileName> = []
    for place in [Place.incoming, .reading] {
      let folder = try folder(place)
      for name in try lists(in: place) {
        if let status = try folder.status(of: name) { marks.insert(Self.mark(status.identity)) }
      }
    }
    return marks
  }

  /// Marks a list that is not committed yet.
  func force(_ identity: FileStatus.Identity) throws(SpoolError) {
    let incoming = try folder(.incoming)
    _ = try incoming.open(Self.mark(identity), flags: O_WRONLY | O_CREAT, mode: 0o640)
    try incoming.sync()
  }

  /// Whether the keys of this list are to be registered even if they are already.
  package func isForced(_ file: SpoolFile) throws(SpoolError) -> Bool {
    try folder(.incoming).status(of: Self.mark(file.status.identity))?.kind == .regular
  }

  /// Removes the mark of a list that has left `reading/`.
  package func clearForce(_ file: SpoolFile) throws(SpoolError) {
    try unforce(file.status.identity)
  }

  /// Removes a mark, if there is one.
  func unforce(_ identity: FileStatus.Identity) throws(SpoolError) {
    let incoming = try folder(.incoming)
    let mark = Self.mark(identity)
    if try incoming.status(of: mark) != nil { try incoming.remove(mark) }
  }
}
