import Logging
import RegistrationQueue
import Spool

/// Compares the queue with what the spool says about imported lists. A list gets its receipt, and later its results,
/// after its keys are committed. If the queue does not know such a list, it is an older queue, or another one.
struct SpoolHistory {
  let spool: SpoolDirectory

  /// Evidence that the queue is not the one that last worked on the spool; nil for none. Costs a few system calls and a
  /// query for each list in `done/` and `results/`.
  func evidence(against known: KnownLists) throws -> SpoolEvidence? {
    let receipts = try unknownReceipts(known)
    if let first = receipts.first {
      return SpoolEvidence(
        folder: spool.path(of: .done), what: "receipts", lists: receipts.count, first: first.text)
    }
    // Results alone count only if nothing is known at all. Beside a queue in use they may be somebody's copies.
    guard try known.isEmpty else { return nil }
    let results = try unknownResults(known)
    return results.first.map { first in
      SpoolEvidence(folder: spool.path(of: .results), what: "results", lists: results.count, first: first.text)
    }
  }

  /// The operator allows a queue that is older than the spool: lists that it does not know go back to `reading/`. Those
  /// with only a receipt or results left are noted and logged.
  func takeBack(into queue: RegistrationQueue, _ log: Logger) throws {
    var lost: [ListName] = []
    for name in try queue.compare(unknownReceipts) {
      // A list that was begun is continued where it is.
      guard try queue.compare({ try $0.entry(of: name.text) }) == .unknown else { continue }
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
        "lists": "\(lost.count)", "first": "\(first)", "hint": "submit them again; registered keys stay registered",
      ])
  }

  /// The operator allows a new queue: what the earlier one imported is noted, and not read again.
  func leaveAll(to queue: RegistrationQueue) throws {
    try queue.leaveToEarlierQueue(
      queue.compare { known in try unknownReceipts(known) + unknownResults(known) }.map(\.text))
  }

  private func unknownReceipts(_ known: KnownLists) throws -> [ListName] {
    try spool.receiptedLists().filter { name in try !knows(name, known.entry(of: name.text)) }
  }

  private func unknownResults(_ known: KnownLists) throws -> [ListName] {
    try spool.resultedLists().filter { name in
      try known.entry(of: name.text) == .unknown && !isInReading(name) && spool.hasResults(name)
    }
  }

  /// Whether the queue knows everything that the receipt of a list implies.
  private func knows(_ name: ListName, _ entry: KnownLists.Entry) throws -> Bool {
    switch entry {
    case .noted: return true
    case .unknown:
      // It is about to be read, for the first time or again.
      if try isInReading(name) { return true }
      // A copy that somebody made under another name is not another list, and an unreadable receipt says nothing.
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
