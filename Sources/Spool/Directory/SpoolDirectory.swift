import Glibc
import Registration

/// The spool: `incoming/`, where lists are dropped, `reading/`, where the daemon claims them, and `done/`, `rejected/` and
/// `results/`, where they end.
///
/// Folders are opened anew for each piece of work, so that one that was removed and made again is found. Only one
/// process moves files into `reading/`, `done/`, `rejected/` and `results/` (the owner of the state directory); anybody
/// who may can drop into `incoming/`.
package struct SpoolDirectory: Hashable, Sendable {
  package enum Place: String, CaseIterable, Sendable {
    case incoming, reading, done, rejected, results
  }

  package let path: String

  package init(path: String) {
    self.path = path
  }

  /// The path of `place`.
  package func path(of place: Place) -> String { "\(path)/\(place.rawValue)" }

  func folder(_ place: Place) throws(SpoolError) -> Folder {
    try Folder(path: path(of: place))
  }

  /// Makes the folders that are missing, for owner and group, less what the umask forbids, and sees that those in `use`
  /// can be opened: who drops lists need not be allowed into the others.
  package func prepare(use: [Place] = Place.allCases) throws(SpoolError) {
    try Self.makeFolder(path, mode: 0o750)
    for place in Place.allCases {
      try Self.makeFolder(path(of: place), mode: place == .incoming ? 0o770 : 0o750)
    }
    for place in use { _ = try folder(place) }
  }

  private static func makeFolder(_ path: String, mode: mode_t) throws(SpoolError) {
    if mkdir(path, mode) == 0 || errno == EEXIST { return }
    let code = errno
    let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    guard code == ENOENT, !parent.isEmpty else { throw SpoolError("make the folder \(path)", code: code) }
    try makeFolder(parent, mode: 0o755)
    guard mkdir(path, mode) == 0 || errno == EEXIST else { throw SpoolError("make the folder \(path)", code: errno) }
  }

  // MARK: Dropping

  /// Begins a list in `incoming/` that the daemon does not see before it is committed.
  package func beginDrop() throws(SpoolError) -> Drop {
    Drop(file: try NewFile(in: folder(.incoming)), spool: self)
  }

  /// Drops a whole list. Returns the name that it got: `name`, or `NAME.2`, `NAME.3` … when that is taken.
  package func drop(_ bytes: some Collection<UInt8>, as name: ListName) throws(SpoolError) -> ListName {
    let drop = try beginDrop()
    try drop.write(bytes)
    return try drop.commit(as: name)
  }

  // MARK: Reading

  /// Opens the list `name` in `place`. Throws `notRegular`, `tooLarge`, `permission`, `missing` …
  package func open(_ name: FileName, in place: Place, maximumSize: Int64) throws(SpoolError) -> SpoolFile {
    try SpoolFile(name, in: folder(place), maximumSize: maximumSize)
  }

  /// What `name` in `place` is, nil when there is nothing of that name.
  package func status(of name: FileName, in place: Place) throws(SpoolError) -> FileStatus? {
    try folder(place).status(of: name)
  }

  /// The lists that still lie in `place`, by name in the C locale's order: regular files whose names are not left alone.
  package func lists(in place: Place) throws(SpoolError) -> [FileName] {
    let folder = try folder(place)
    var lists: [FileName] = []
    for name in try folder.names() where !name.isLeftAlone && !ListName.isCompanion(name) {
      if try folder.status(of: name)?.kind == .regular { lists.append(name) }
    }
    return lists.sorted()
  }

  /// True when the daemon already has a list `name`, as far as this user may look.
  func isKnown(_ name: ListName) -> Bool {
    [Place.reading, .done, .rejected].contains { place in
      // Who may drop need not be allowed to look there: the daemon finds a free name in any case.
      let status = try? folder(place).status(of: name.fileName)
      return status != nil
    }
  }

  /// True when `rejected/` has a list of that name and it is not about to be read, again or another one of that name.
  package func isRejected(_ name: ListName) throws(SpoolError) -> Bool {
    guard try folder(.rejected).status(of: name.reasonFileName) != nil else { return false }
    for place in [Place.incoming, .reading] where try folder(place).status(of: name.fileName) != nil { return false }
    return true
  }

  // MARK: Results

  /// Begins the results of the list `name`, with the header line.
  package func results(for name: ListName) throws(SpoolError) -> ResultsFile {
    try ResultsFile(name, in: folder(.results))
  }
}
