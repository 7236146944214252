package import Registration

/// Keeping the spool from growing for ever.
extension SpoolDirectory {
  /// Files in the making that a kill left behind are removed after a day: no list takes that long to write.
  private static let temporaryAge = Duration.seconds(24 * 60 * 60)

  /// Removes what a kill has left half written. Only for the owner of the spool, before it writes anything: in `incoming/`
  /// others write too, so that what lies there waits for the sweep.
  package func sweepLeftovers() throws(SpoolError) {
    for place in Place.allCases where place != .incoming {
      let folder = try folder(place)
      for name in try folder.names() where NewFile.isTemporary(name) { try folder.remove(name) }
    }
  }

  /// Removes what has lain in `done/` and `results/` for longer than `keep`, and abandoned temporary files everywhere.
  /// `rejected/` stays: somebody still has to look at it. Returns how many files were removed.
  ///
  /// The age counts from the last change of the file's entry, which moving it is: a list's own time of modification may
  /// be much older. That time is the wall clock's, which may have been anything then and may be anything now: how long ago
  /// it was is for `age` to say, and what is not old for sure stays. A file that cannot be removed keeps no other from it; the first such error is thrown at the end.
  @discardableResult
  package func sweep(keep: Duration, age: (Timestamp) -> Duration) throws(SpoolError) -> Int {
    var removed = 0
    var fault: SpoolError?
    var marks: Set<FileName>?
    for place in Place.allCases {
      let folder = try folder(place)
      for name in try folder.names() {
        let isTemporary = NewFile.isTemporary(name)
        guard isTemporary || place == .done || place == .results else { continue }
        guard let status = try folder.status(of: name), status.kind == .regular else { continue }
        let changed = Timestamp(milliseconds: status.changed / 1_000_000)
        guard age(changed) > (isTemporary ? Self.temporaryAge : keep) else { continue }
        if Self.isForceMark(name) {
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
