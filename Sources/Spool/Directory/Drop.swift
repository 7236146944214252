package import Registration

/// A list on its way into `incoming/`. The daemon does not see it before `commit`; without `commit` it is deleted.
package final class Drop {
  private let file: NewFile
  private let spool: SpoolDirectory

  init(file: NewFile, spool: SpoolDirectory) {
    self.file = file
    self.spool = spool
  }

  package func write(_ bytes: some Collection<UInt8>) throws(SpoolError) {
    try file.write(bytes)
  }

  /// The list as written so far, to validate before the commit.
  package func open() throws(SpoolError) -> SpoolFile {
    try file.open()
  }

  /// Writes the list to disk, still without a name.
  package func sync() throws(SpoolError) {
    try file.sync()
  }

  /// Writes the list to disk and names it, without ever replacing another file. Returns the name: `name`, or `NAME.2`,
  /// `NAME.3` … when a list in the spool already has it.
  ///
  /// - Parameters:
  ///   - force: Whether to register keys again that are already registered.
  ///   - terms: How the list is to be processed.
  ///   - isTaken: Whether the daemon knows a list of this name.
  package func commit(
    as name: ListName, force: Bool = false, terms: ListTerms = ListTerms(), isTaken: (ListName) -> Bool = { _ in false }
  ) throws(SpoolError) -> ListName {
    try file.sync()
    guard force || !terms.isUsual else { return try claim(name, isTaken) }
    let list = try file.status()
    try spool.mark(list, isForced: force, terms: terms)
    do throws(SpoolError) {
      return try claim(name, isTaken)
    } catch {
      // If this fails, the mark is swept later.
      if !file.isNamed { try? spool.unmark(list) }
      throw error
    }
  }

  /// Seconds to wait for the lock on names.
  private static let patience = 2.0

  /// Holds the lock on names. Otherwise the daemon could take a list of the same name from `incoming/` just after the other
  /// folders were searched, and would then give this one another name.
  private func claim(_ name: ListName, _ isTaken: (ListName) -> Bool) throws(SpoolError) -> ListName {
    try file.folder.whileNaming(waitingAtMost: Self.patience) { () throws(SpoolError) -> ListName in
      while true {
        let free = try name.firstFree { (candidate) throws(SpoolError) -> Bool in
          try file.folder.status(of: candidate.fileName) == nil && !spool.isKnown(candidate) && !isTaken(candidate)
        }
        if try file.claim(free.fileName) { return free }
      }
    }
  }
}
