import Glibc
import Registration

/// The spool: `incoming/`, where lists are dropped, `reading/`, where the daemon claims them, and `done/`, `rejected/`
/// and `results/`, where they end up.
///
/// Folders are opened again for each operation, so that one that was removed and created again is found. Only one
/// process (the owner of the state directory) moves files into `reading/`, `done/`, `rejected/` and `results/`; anybody
/// with permission can drop files into `incoming/`.
package struct SpoolDirectory: Hashable, Sendable {
  package enum Subfolder: String, CaseIterable, Sendable {
    case incoming, reading, done, rejected, results
  }

  package let path: String

  package init(path: String) {
    self.path = path
  }

  /// The path of `place`.
  package func path(of place: Subfolder) -> String { "\(path)/\(place.rawValue)" }

  func folder(_ place: Subfolder) throws(SpoolError) -> Folder {
    try Folder(path: path(of: place))
  }

  /// Creates missing folders for owner and group, minus the umask, and checks that those in `use` can be opened: a user
  /// who drops lists need not have access to the others. The folders are on disk when this returns: a list would be lost
  /// with the folder that it lies in.
  package func prepare(use: [Subfolder] = Subfolder.allCases) throws(SpoolError) {
    try Self.makeFolder(path, mode: 0o750)
    for place in Subfolder.allCases {
      try Self.makeFolder(path(of: place), mode: place == .incoming ? 0o770 : 0o750)
    }
    for place in use { _ = try folder(place) }
    do throws(SystemFault) {
      // Also those that an earlier run, which was killed, has just created.
      try FileIO.syncFolder(path)
    } catch {
      throw SpoolError("write the folder \(path) to the disk", code: error.code)
    }
  }

  private static func makeFolder(_ path: String, mode: mode_t) throws(SpoolError) {
    if try createFolder(path, mode: mode) { return }
    let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    guard !parent.isEmpty else { throw SpoolError("create the folder \(path)", code: ENOENT) }
    try makeFolder(parent, mode: 0o755)
    guard try createFolder(path, mode: mode) else { throw SpoolError("create the folder \(path)", code: ENOENT) }
  }

  /// False when the folder that it belongs in is missing. A new folder's name is on disk when this returns.
  private static func createFolder(_ path: String, mode: mode_t) throws(SpoolError) -> Bool {
    guard mkdir(path, mode) == 0 else {
      if errno == ENOENT { return false }
      if errno == EEXIST { return true }
      throw SpoolError("create the folder \(path)", code: errno)
    }
    do throws(SystemFault) {
      try FileIO.syncFolder(of: path)
    } catch {
      throw SpoolError("write the folder \(path) to the disk", code: error.code)
    }
    return true
  }

  // MARK: Dropping

  /// Begins a list in `incoming/` that the daemon does not see before it is committed.
  package func beginDrop() throws(SpoolError) -> Drop {
    Drop(file: try NewFile(in: folder(.incoming)), spool: self)
  }

  // MARK: Reading

  /// Opens the list `name` in `place`. Throws `notRegular`, `tooLarge`, `permission`, `missing` …
  package func open(_ name: FileName, in place: Subfolder, maximumSize: Int64) throws(SpoolError) -> SpoolFile {
    try SpoolFile(name, in: folder(place), maximumSize: maximumSize)
  }

  /// What `name` in `place` is, nil when there is no such file.
  package func status(of name: FileName, in place: Subfolder) throws(SpoolError) -> FileStatus? {
    try folder(place).status(of: name)
  }

  /// The lists in `place`, by name in the C locale's order: regular files whose names are not ignored.
  package func lists(in place: Subfolder) throws(SpoolError) -> [FileName] {
    let folder = try folder(place)
    var lists: [FileName] = []
    for name in try folder.names() where !name.isIgnored && !ListName.isCompanion(name) {
      if try folder.status(of: name)?.kind == .regular { lists.append(name) }
    }
    return lists.sorted()
  }

  /// True when the daemon already has a list `name`, or something is left of one, as far as this user can see.
  func isKnown(_ name: ListName) -> Bool {
    [
      (Subfolder.reading, name.fileName), (.done, name.fileName), (.done, name.receiptFileName),
      (.rejected, name.fileName), (.results, name.resultsFileName),
    ].contains { place, file in
      // The user need not have access there: the daemon finds a free name in any case.
      let status = try? folder(place).status(of: file)
      return status != nil
    }
  }

  /// True when `rejected/` has a list of that name and no list of that name is about to be read.
  package func isRejected(_ name: ListName) throws(SpoolError) -> Bool {
    guard try folder(.rejected).status(of: name.reasonFileName) != nil else { return false }
    for place in [Subfolder.incoming, .reading] where try folder(place).status(of: name.fileName) != nil {
      return false
    }
    return true
  }

  /// Whether a file of that name waits to be read, or is being read.
  package func isWaiting(_ name: ListName) throws(SpoolError) -> Bool {
    for place in [Subfolder.incoming, .reading] where try folder(place).status(of: name.fileName) != nil { return true }
    return false
  }

  // MARK: Results

  /// Begins the results of the list `name` with the header line.
  ///
  /// - Parameter columns: Columns of the list that come behind ours.
  package func results(for name: ListName, columns: [String] = []) throws(SpoolError) -> ResultsFile {
    try ResultsFile(name, columns: columns, in: folder(.results))
  }

  /// Writes the names of finished results to disk; one call for any number of them.
  package func syncResults() throws(SpoolError) {
    try folder(.results).sync()
  }
}
