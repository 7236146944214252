/// A list on its way into `incoming/`. Not seen by the daemon before `commit`; without that it vanishes.
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

  /// The list as written so far, to be validated before it is committed.
  package func open() throws(SpoolError) -> SpoolFile {
    try file.open()
  }

  /// Brings the list to the disk, still without a name.
  package func sync() throws(SpoolError) {
    try file.sync()
  }

  /// Brings the list to the disk and names it, without ever taking the place of another. Returns the name: `name`, or
  /// `NAME.2`, `NAME.3` … when a list in the spool has it already.
  ///
  /// - Parameter force: Whether keys that are registered already are to be registered again.
  package func commit(as name: ListName, force: Bool = false) throws(SpoolError) -> ListName {
    guard force else { return try claim(name) }
    let identity = try file.identity()
    try spool.force(identity)
    do throws(SpoolError) {
      return try claim(name)
    } catch {
      // The next file may get this inode: it must not find the mark. What stays of it is swept.
      if !file.isNamed { try? spool.unforce(identity) }
      throw error
    }
  }

  private func claim(_ name: ListName) throws(SpoolError) -> ListName {
    var number = 1
    while true {
      let candidate = name.numbered(number)
      if !spool.isKnown(candidate), try file.claim(candidate.fileName) { return candidate }
      number += 1
    }
  }
}
