package import Registration

/// Keeping the spool from growing for ever.
extension SpoolDirectory {
  /// Temporary files that a kill left behind are removed after a day: no list takes that long to write.
  private static let temporaryAge = Duration.seconds(24 * 60 * 60)

  /// Removes half-written files that a kill left behind. Only for the owner of the spool, before it writes anything.
  /// Others write to `incoming/` too, so leftovers there wait for the sweep.
  package func sweepLeftovers() throws(SpoolError) {
    for place in Subfolder.allCases where place != .incoming {
      let folder = try folder(place)
      for name in try folder.names() where NewFile.isTemporary(name) { try folder.remove(name) }
    }
  }

  /// Removes files in `done/` and `results/` that are older than `keep`, and abandoned temporary files everywhere.
  /// `rejected/` stays, because somebody still has to look at it. Returns how many files were removed.
  ///
  /// What belongs to a list in `used` stays: one whose keys take longer than `keep` is read again for its columns, and what
  /// a writer appends to it is noticed by its file.
  ///
  /// Age counts from the last change of the file's entry, and moving it is one: a list's modification time may be much
  /// older. That time is from the wall clock, which may have been wrong then and may be wrong now, so `age` decides how
  /// long ago it was, and what is not certainly old stays. A file that cannot be removed does not stop the others; the
  /// first such error is thrown at the end.
  @discardableResult
  package func sweep(
    keep: Duration, used: Set<String> = [], age: (Timestamp) -> Duration
  ) throws(SpoolError) -> Int {
    var removed = 0
    var fault: SpoolError?
    var marks: Set<FileName>?
    for place in Subfolder.allCases {
      let folder = try folder(place)
      for name in try folder.names() {
        let isTemporary = NewFile.isTemporary(name)
        guard isTemporary || place == .done || place == .results else { continue }
        guard let status = try folder.status(of: name), status.kind == .regular else { continue }
        let changed = Timestamp(milliseconds: status.changed / 1_000_000)
        guard age(changed) > (isTemporary ? Self.temporaryAge : keep) else { continue }
        if !isTemporary, ListName.owners(of: name).contains(where: { used.contains($0.text) }) { continue }
        if Self.isMark(name) {
          if marks == nil { marks = try marksInUse() }
          if marks?.contains(name) == true { continue }
        }
        do throws(SpoolError) {
          try folder.remove(name)
          removed += 1
        } catch {
          fault = fault ?? error
        }
      }
    }
    if let fault { throw fault }
    return removed
  }
}
