/// What in the spool is not read and why, as of the last scan.
package struct IntakeStanding: Hashable, Sendable {
  /// Lists in `incoming/` that cannot be taken as they are, by name.
  package var blocked: [FileName: SpoolWarning] = [:]
  /// Ignored files in `incoming/`, with the reason as the end of a sentence. Only those that have been there for a
  /// minute: most such files are about to be renamed.
  package var ignored: [FileName: String] = [:]
  /// Why the spool cannot be scanned, while it cannot.
  package var fault: SpoolError?
  /// Claimed lists that were written to and have not been read again yet.
  package var grown = 0

  package init() {}

  /// The lists among `blocked`: a file that is not regular is not a list.
  package var blockedLists: Int {
    blocked.values.count { if case .notRegular = $0 { false } else { true } }
  }
}

/// A claimed list that can be read now.
package struct ReadyList: Hashable, Sendable {
  /// `reading` for a list that was just claimed, or left there; otherwise where it was filed before it was written to
  /// again.
  package var place: SpoolDirectory.Subfolder
  package var name: ListName
  /// Nothing was written to it for `settle`: its last record counts even without a line end.
  package var isStill: Bool

  package init(place: SpoolDirectory.Subfolder, name: ListName, isStill: Bool) {
    self.place = place
    self.name = name
    self.isStill = isStill
  }
}
