package import Registration

/// Taking lists out of `incoming/` before a byte of them is read.
///
/// A claimed list is a file in `reading/`, under its final name. What is appended to the old name afterwards is another
/// list; what a writer with the file still open appends goes with the file.
extension SpoolDirectory {
  /// Moves `file` from `incoming/` to `reading/` under a free name. Nil when it is gone, is not a regular file, or was
  /// claimed already and only has two names. The move is on disk after `syncClaims`.
  ///
  /// - Parameter isTaken: Whether the queue knows a name, even if its file is gone.
  package func claim(_ file: FileName, isTaken: (ListName) throws -> Bool) throws -> ListName? {
    let (incoming, reading) = (try folder(.incoming), try folder(.reading))
    guard let status = try incoming.status(of: file), status.kind == .regular else { return nil }
    if try status.links > 1 && isClaimed(status.identity, as: ListName(of: file)) {
      try incoming.remove(file)
      return nil
    }
    while true {
      let name = try incoming.whileNaming(waitingAtMost: Self.patience) { () throws -> ListName? in
        let name = try freeName(for: ListName(of: file)) { name in
          try isTaken(name) || name.fileName != file && incoming.status(of: name.fileName) != nil
        }
        return try incoming.rename(file, toFree: name.fileName, in: reading) ? name : nil
      }
      guard let name else { continue }
      // Somebody may have replaced the file at this very moment: then it goes back. If that cannot be checked now, it stays
      // claimed.
      do throws(SpoolError) {
        if try reading.status(of: name.fileName)?.kind == .regular {
          try removeReason(of: name)
          return name
        }
      } catch {
        return name
      }
      try putBack(name.fileName, from: reading, to: incoming, as: file)
      return nil
    }
  }

  /// A list that was rejected, mended and dropped again keeps its name, and the reason is out of date.
  private func removeReason(of name: ListName) throws(SpoolError) {
    let rejected = try folder(.rejected)
    if try rejected.status(of: name.fileName) == nil { try rejected.remove(name.reasonFileName) }
  }

  /// Seconds to wait for those who submit lists: they hold the lock on names in `incoming/` for an instant.
  private static let patience = 0.2

  /// Whether the file was claimed under that name or a number of it: where no rename is exclusive, a claim makes a second
  /// name and then removes the first one, and a kill or a power cut may come in between.
  private func isClaimed(_ file: FileStatus.Identity, as name: ListName) throws(SpoolError) -> Bool {
    let numbered = FileName(name.text + ".").bytes
    for place in [Subfolder.reading, .done, .rejected] {
      let folder = try folder(place)
      for other in try folder.names() where other == name.fileName || other.bytes.starts(with: numbered) {
        if try folder.status(of: other)?.identity == file { return true }
      }
    }
    return false
  }

  /// Writes claims to disk; one call for any number of them.
  package func syncClaims() throws(SpoolError) {
    try folder(.reading).sync()
    try folder(.incoming).sync()
  }

  /// Begins a list in `reading/` that came over the control socket. It has no owner before it is committed.
  package func beginPost() throws(SpoolError) -> NewFile {
    try NewFile(in: folder(.reading))
  }

  /// Gives a posted list its name in `reading/`: `name`, or the next free one. Does not fail once the list has it.
  ///
  /// - Parameters:
  ///   - force: Whether to register keys again that are already registered.
  ///   - terms: How the list is to be processed.
  package func commitPost(
    _ file: NewFile, as name: ListName, force: Bool, terms: ListTerms = ListTerms(), isTaken: (ListName) throws -> Bool
  ) throws -> ListName {
    let list = try file.status()
    try mark(list, isForced: force, terms: terms)
    var last = name
    do {
      let incoming = try folder(.incoming)
      return try incoming.whileNaming(waitingAtMost: Self.patience) { () throws -> ListName in
        while true {
          last = try freeName(for: name) { try isTaken($0) || incoming.status(of: $0.fileName) != nil }
          if try file.claim(last.fileName) {
            // The list has its name: an old reason beside it is no error.
            try? removeReason(of: last)
            return last
          }
        }
      }
    } catch {
      // It is there, but perhaps not on disk: the reader syncs it, and finds out.
      if file.isNamed { return last }
      // If this fails, the mark is swept later.
      if force || !terms.isUsual { try? unmark(list) }
      throw error
    }
  }

  /// Moves a filed list back to `reading/`: a rejected one that has changed, or one that the queue does not know. False
  /// when it is not there, or the name is taken.
  package func reopen(_ name: ListName, from place: Subfolder = .rejected) throws(SpoolError) -> Bool {
    let (filed, reading) = (try folder(place), try folder(.reading))
    guard try filed.status(of: name.fileName)?.kind == .regular else { return false }
    guard try filed.rename(name.fileName, toFree: name.fileName, in: reading) else { return false }
    try reading.sync()
    try filed.sync()
    return true
  }

  /// The first of `name`, `NAME.2`, `NAME.3` … that no list in the spool has and for which `isTaken` is false.
  func freeName(for name: ListName, isTaken: (ListName) throws -> Bool) throws -> ListName {
    // `reading/` first: a list moves from there to the others, so that it cannot be missed in between.
    let folders = (
      reading: try folder(.reading), done: try folder(.done), rejected: try folder(.rejected),
      results: try folder(.results)
    )
    return try name.firstFree { (candidate) throws -> Bool in
      let isInSpool =
        try folders.reading.status(of: candidate.fileName) != nil
        || folders.done.status(of: candidate.fileName) != nil
        || folders.done.status(of: candidate.receiptFileName) != nil
        || folders.rejected.status(of: candidate.fileName) != nil
        || folders.results.status(of: candidate.resultsFileName) != nil
      return try !isInSpool && !isTaken(candidate)
    }
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
