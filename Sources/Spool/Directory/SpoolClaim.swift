/// Taking lists out of `incoming/` before a byte of them is read.
///
/// A claimed list is a file in `reading/`, under the name that it keeps. What is appended to the old name from then on is
/// another list, and what a writer appends that still has the file open follows the file.
extension SpoolDirectory {
  /// Moves `file` from `incoming/` to `reading/` under a free name. Nil when it is not there any more, or is not a regular
  /// file. The move is on the disk after `syncClaims`.
  ///
  /// - Parameter isTaken: Names that the queue knows, whether or not their files are still there.
  package func claim(_ file: FileName, isTaken: (ListName) throws -> Bool) throws -> ListName? {
    let (incoming, reading) = (try folder(.incoming), try folder(.reading))
    guard try incoming.status(of: file)?.kind == .regular else { return nil }
    while true {
      let name = try freeName(for: ListName(of: file), isTaken: isTaken)
      guard try incoming.rename(file, toFree: name.fileName, in: reading) else { continue }
      // Whoever may drop may also have exchanged the file at this very moment: then it goes back.
      if try reading.status(of: name.fileName)?.kind == .regular { return name }
      try putBack(name.fileName, from: reading, to: incoming, as: file)
      return nil
    }
  }

  /// Brings claims to the disk; one call for any number of them.
  package func syncClaims() throws(SpoolError) {
    try folder(.reading).sync()
    try folder(.incoming).sync()
  }

  /// Begins a list in `reading/` that came over the control socket. It is nobody's before it is committed.
  package func beginPost() throws(SpoolError) -> NewFile {
    try NewFile(in: folder(.reading))
  }

  /// Gives a posted list its name in `reading/`: `name`, or the next free one. Nothing fails once it has it.
  ///
  /// - Parameter force: Whether keys that are registered already are to be registered again.
  package func commitPost(
    _ file: NewFile, as name: ListName, force: Bool, isTaken: (ListName) throws -> Bool
  ) throws -> ListName {
    let identity = try file.identity()
    if force { try self.force(identity) }
    var last = name
    do {
      while true {
        last = try freeName(for: name, isTaken: isTaken)
        if try file.claim(last.fileName) { return last }
      }
    } catch {
      // It is there, though perhaps not on the disk: whoever reads it brings it there, and finds out.
      if file.isNamed { return last }
      // The next file may get this inode: it must not find the mark. What stays of it is swept.
      if force { try? unforce(identity) }
      throw error
    }
  }

  /// Moves a list that was filed back to `reading/`: a rejected one that has changed, or one that the queue does not know.
  /// False when it is not there, or the name is taken.
  package func reopen(_ name: ListName, from place: Place = .rejected) throws(SpoolError) -> Bool {
    let (filed, reading) = (try folder(place), try folder(.reading))
    guard try filed.status(of: name.fileName)?.kind == .regular else { return false }
    guard try filed.rename(name.fileName, toFree: name.fileName, in: reading) else { return false }
    try reading.sync()
    try filed.sync()
    return true
  }

  /// The first of `name`, `NAME.2`, `NAME.3` … that no list in the spool has, and that `isTaken` does not claim.
  ///
  /// A name that comes every five minutes has a hundred thousand numbers after a year, so the search doubles first and
  /// then halves; where numbers have gaps it may find one behind the first gap.
  func freeName(for name: ListName, isTaken: (ListName) throws -> Bool) throws -> ListName {
    // `reading/` first: a list moves from there to the others, so that it cannot be missed in between.
    let folders = (
      reading: try folder(.reading), done: try folder(.done), rejected: try folder(.rejected),
      results: try folder(.results)
    )
    func isFree(_ number: Int) throws -> Bool {
      let candidate = name.numbered(number)
      let isInSpool =
        try folders.reading.status(of: candidate.fileName) != nil
        || folders.done.status(of: candidate.fileName) != nil
        || folders.done.status(of: candidate.receiptFileName) != nil
        || folders.rejected.status(of: candidate.fileName) != nil
        || folders.rejected.status(of: candidate.reasonFileName) != nil
        || folders.results.status(of: candidate.resultsFileName) != nil
      return try !isInSpool && !isTaken(candidate)
    }
    if try isFree(1) { return name }
    var (taken, free) = (1, 2)
    while try !isFree(free) { (taken, free) = (free, free * 2) }
    while free - taken > 1 {
      let middle = taken + (free - taken) / 2
      if try isFree(middle) { free = middle } else { taken = middle }
    }
    return name.numbered(free)
  }

  private func putBack(
    _ name: FileName, from source: Folder, to target: Folder, as file: FileName
  ) throws(SpoolError) {
    var number = 1
    var free = file
    while try !source.rename(name, toFree: free, in: target) {
      number += 1
      free = FileName(bytes: file.bytes + ".\(number)".utf8)
    }
  }
}
