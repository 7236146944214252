import Dispatch
import Logging
import RegistrationQueue
import Spool

/// Finds filed lists that were written to unnoticed: while the daemon was not running, through a memory map or another
/// hard link, or when the system lost events.
struct FiledLists {
  let queue: RegistrationQueue
  let spool: SpoolDirectory
  /// Called for each list that was written to.
  let noteWrite: (ListName) -> Void
  let log: Logger

  /// Compares every file in `done/` and `rejected/` with what was read of it, and forgets rejected lists that are gone.
  /// Costs a few system calls per file.
  ///
  /// Throws `SpoolError` or `QueueError` if not every file could be compared.
  func check() throws {
    var unknown: [ListName] = []
    for file in try spool.lists(in: .done) {
      let name = ListName(filed: file)
      switch try queue.list(named: name.text) {
      case let list?: if try isChanged(list, file) { noteWrite(name) }
      case nil: if try hasReceipt(name), try isUnknown(name) { unknown.append(name) }
      }
    }
    warn(of: unknown)
    let rejected = try spool.lists(in: .rejected)
    for file in rejected where try isRejectedListChanged(file) { noteWrite(ListName(filed: file)) }
    try forgetRejected(except: Set(rejected.map(ListName.init(filed:))))
  }

  /// Warns of lists that came after the start, when the queue was compared with the spool.
  private func warn(of unknown: [ListName]) {
    guard let first = unknown.first else { return }
    log.error(
      "lists in done/ have a receipt, but the queue does not know them",
      metadata: [
        "lists": "\(unknown.count)", "first": "\(first)",
        "hint": "if they were put there by hand, move them to incoming/; registered keys stay registered",
      ])
  }

  private func isUnknown(_ name: ListName) throws -> Bool {
    try queue.compare { try $0.entry(of: name.text) } == .unknown
  }

  private func hasReceipt(_ name: ListName) throws -> Bool {
    try spool.status(of: name.receiptFileName, in: .done) != nil
  }

  private func isChanged(_ list: ListRecord, _ file: FileName) throws -> Bool {
    guard let filedAt = list.filedAt, let status = try spool.status(of: file, in: .done) else { return false }
    return Int64(list.bytes) != status.size || list.modified.map { $0 != status.modified } ?? false
      || status.changedAt > filedAt
  }

  private func isRejectedListChanged(_ file: FileName) throws -> Bool {
    guard let status = try spool.status(of: file, in: .rejected) else { return false }
    let name = ListName(filed: file)
    guard let list = try queue.rejectedList(named: name.text) else {
      // A file without a reason was put there by somebody else.
      return try spool.status(of: name.reasonFileName, in: .rejected) != nil
    }
    return !list.isOf(status)
  }

  /// Forgets those of these rejected lists that are gone.
  func forgetRejected(_ names: [ListName]) throws {
    try queue.forgetRejected(try names.filter { try !isBeingRead($0) }.map(\.text))
  }

  private func forgetRejected(except present: Set<ListName>) throws {
    var last = ""
    while true {
      let page = try queue.rejectedLists(after: last, limit: 1_000)
      guard let end = page.last else { return }
      last = end.name
      // A list that is being read again at this moment is in reading/.
      let gone = try page.map { ListName(stored: $0.name) }.filter { name in
        try !present.contains(name) && !isBeingRead(name)
      }
      try queue.forgetRejected(gone.map(\.text))
    }
  }

  /// Whether a list is being read again, or in `rejected/`.
  private func isBeingRead(_ name: ListName) throws -> Bool {
    for place in [SpoolDirectory.Subfolder.reading, .rejected] {
      if try spool.status(of: name.fileName, in: place) != nil { return true }
    }
    return false
  }
}
