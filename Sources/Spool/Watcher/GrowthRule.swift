/// Remembers which claimed lists were written to, and decides when each has settled: a value without clock or I/O.
///
/// A process that has had a list open since before it was claimed may append to it at any time, wherever the daemon has
/// moved it. What was written is read once nothing more has come for `settle`.
package struct GrowthRule: Sendable {
  private struct Touch {
    var since: Duration
    var status: FileStatus?
  }

  package let settle: Duration
  private var touched: [ListName: Touch] = [:]

  package init(settle: Duration) {
    self.settle = settle
  }

  package var names: [ListName] { Array(touched.keys) }

  /// The list was written to, or may have been.
  package mutating func note(_ name: ListName, at now: Duration) {
    touched[name] = Touch(since: now, status: touched[name]?.status)
  }

  /// The list is not as it was read. Noticed again and again while it settles, that does not put it off.
  package mutating func suspect(_ name: ListName, at now: Duration) {
    if touched[name] == nil { note(name, at: now) }
  }

  /// Takes the status of a list that was written to, nil when it is gone. Returns true when it has settled and can be
  /// read; it is then forgotten until it is written to again.
  package mutating func isStill(_ name: ListName, _ status: FileStatus?, at now: Duration) -> Bool {
    guard var touch = touched[name] else { return false }
    guard let status else {
      touched[name] = nil
      return false
    }
    if let known = touch.status, !known.hasSameContent(as: status) { touch.since = now }
    touch.status = status
    guard now - touch.since < settle else {
      touched[name] = nil
      return true
    }
    touched[name] = touch
    return false
  }

  /// When the next one will have settled if nothing is written, nil when none waits.
  package var nextLook: Duration? { touched.values.map { $0.since + settle }.min() }
}
