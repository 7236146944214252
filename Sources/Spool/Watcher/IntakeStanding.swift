/// What of the spool is not read and why, as the last look found it.
package struct IntakeStanding: Hashable, Sendable {
  /// Lists in `incoming/` that cannot be taken as they are, by name.
  package var blocked: [FileName: SpoolWarning] = [:]
  /// Files in `incoming/` that are left alone, with the reason as the end of a sentence. Only those that have lain there
  /// for a minute: most of these are about to be renamed.
  package var ignored: [FileName: String] = [:]
  /// Why the spool cannot be looked at, while it cannot.
  package var fault: SpoolError?
  /// Claimed lists that were written to and are not read again yet.
  package var grown = 0

  package init() {}

  /// Lists among `blocked`: what is not a regular file is none.
  package var blockedLists: Int {
    blocked.values.count { if case .notRegular = $0 { false } else { true } }
  }
}

/// A claimed list that can be read now.
package struct ReadyList: Hashable, Sendable {
  /// `reading` for a list that was just claimed, or left there; else where it was filed before it was written to again.
  package var place: SpoolDirectory.Place
  package var name: ListName
  /// Nothing was written to it for `settle`: its last record counts even without a line end.
  package var isStill: Bool

  package init(place: SpoolDirectory.Place, name: ListName, isStill: Bool) {
    self.place = place
    self.name = name
    self.isStill = isStill
  }
}
