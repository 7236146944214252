import Logging
import RegistrationQueue
import Spool

/// Compares the queue with what the spool says that a queue has taken in. A list gets its receipt, and later its results,
/// after its keys are committed: where the queue does not know it, the queue is an older one, or another.
struct SpoolHistory {
  let spool: SpoolDirectory

  /// What shows that the queue is not the one that worked on the spool last; nil for nothing. Costs a few system calls and
  /// a look into the queue for each list in `done/` and `results/`.
  func evidence(against known: KnownLists) throws -> SpoolEvidence? {
    let receipts = try unknownReceipts(known)
    if let first = receipts.first {
      return SpoolEvidence(
        folder: spool.path(of: .done), what: "receipts", lists: receipts.count, first: first.text)
    }
    // Results alone count where nothing is known at all. Beside a queue at work they may as well be somebody's copies.
    guard try known.isEmpty else { return nil }
    let results = try unknownResults(known)
    return results.first.map { first in
      SpoolEvidence(folder: spool.path(of: .results), what: "results", lists: results.count, first: first.text)
    }
  }

  /// The queue is older than the spool, and that is meant: puts the lists that it does not know back to `reading/`. Those of
  /// which only a receipt or results are left are noted, and told.
  func takeBack(into queue: RegistrationQueue, _ log: Logger) throws {
    var lost: [ListName] = []
    for name in try queue.compare(unknownReceipts) {
      // One that was begun goes on where it lies.
      guard try queue.compare({ try $0.standing(of: name.text) }) == .unknown else { continue }
      guard try spool.reopen(name, from: .done) else {
        lost.append(name)
        continue
      }
      log.notice("a list that the queue does not know is read again", metadata: ["list": "\(name)"])
    }
    let results = try queue.compare(unknownResults)
    try queue.leaveToEarlierQueue((lost + results).map(\.text))
    try queue.noteCompared()
    guard let first = lost.first else { return }
    log.error(
      "lists have a receipt in done/, but neither the queue nor the spool has them",
      metadata: [
        "lists": "\(lost.count)", "first": "\(first)", "hint": "submit them again: what is registered stays so",
      ])
  }

  /// A new queue is meant, which leaves to the earlier one what that has taken in.
  func leaveAll(to queue: RegistrationQueue) throws {
    try queue.leaveToEarlierQueue(
      queue.compare { known in try unknownReceipts(known) + unknownResults(known) }.map(\.text))
  }

  private func unknownReceipts(_ known: KnownLists) throws -> [ListName] {
    try spool.receiptedLists().filter { name in try !knows(name, known.standing(of: name.text)) }
  }

  private func unknownResults(_ known: KnownLists) throws -> [ListName] {
    try spool.resultedLists().filter { name in
      try known.standing(of: name.text) == .unknown && !isInReading(name) && spool.hasResults(name)
    }
  }

  /// Whether the queue knows all that the receipt of a list stands for.
  private func knows(_ name: ListName, _ standing: KnownLists.Standing) throws -> Bool {
    switch standing {
    case .noted: return true
    case .unknown:
      // It is about to be read, for the first time or again.
      if try isInReading(name) { return true }
      // A copy that somebody has made under another name tells of no other list, and what does not read tells nothing.
      return spool.receipted(name).map { $0.list != name.text } ?? true
    case .taken(let list):
      if list.importedAt != nil {
        // A list that is being filed may have grown, and then still has an earlier receipt.
        guard list.isFiled else { return true }
        guard let file = try spool.status(of: name.fileName, in: .done), file.size != list.bytes else { return true }
      }
      guard let receipt = spool.receipted(name) else { return true }
      if receipt.sha256 == list.sha256, receipt.bytes == list.bytes { return list.importedAt != nil }
      return list.importedAt.map { receipt.importedAt <= $0 } ?? true
    }
  }

  private func isInReading(_ name: ListName) throws -> Bool {
    try spool.status(of: name.fileName, in: .reading) != nil
  }
}
