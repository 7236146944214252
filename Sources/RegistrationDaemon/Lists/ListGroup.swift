import KeyList
import Registration
import RegistrationQueue
import Spool

/// Reads short new lists together: one transaction commits the keys of all of them, and they are filed together.
///
/// Each list goes the same way in the same order as in `ListReading`: its keys are committed, then its receipt is written,
/// then it is moved, then that is noted. So a kill leaves nothing that it could not leave otherwise. Whatever is special
/// about a list is left to `ListReading`; so are all lists when a step fails, since every step can be repeated.
struct ListGroup {
  /// Somebody who has posted a list waits for the whole group: on a slow disk, a second.
  static let mostLists = 64
  /// Bytes of a short list. Its keys fit into the first batch of a longer one.
  private static let longestList: Int64 = 64 * 1024
  /// Bytes of all lists.
  private static let mostBytes: Int64 = 256 * 1024
  private static let mostEntries = 2_000

  let reading: ListReading

  /// A list that was read, but not committed.
  private struct Member {
    var reading: ListReading.Reading
    var source: ListSource
    var batch: ImportBatch
    var entries: ListEntries
  }

  /// Reads the first of these lists, as many as can be read together. Returns the ending of each of them, nil for one that
  /// `ListReading` must read.
  func run(_ lists: some Collection<ReadyList>) -> [ListReading.Ending?] {
    let members = members(of: lists)
    guard members.count > 1 else { return [] }
    do {
      return try take(members)
    } catch {
      // Reading them one by one shows which list is to blame and why.
      return members.map { _ in nil }
    }
  }

  private func members(of lists: some Collection<ReadyList>) -> [Member] {
    var members: [Member] = []
    var bytes: Int64 = 0
    for list in lists.prefix(Self.mostLists) {
      // What cannot be read here is left to `ListReading`, which reports why.
      guard let member = try? member(list) else { break }
      bytes += member.reading.file.size
      guard bytes <= Self.mostBytes else { break }
      members.append(member)
    }
    return members
  }

  private func member(_ list: ReadyList) throws -> Member? {
    let limit = min(Self.longestList, Int64(reading.maxFileSize))
    let file = try reading.spool.open(list.name.fileName, in: .reading, maximumSize: limit)
    guard try reading.queue.list(named: list.name.text) == nil, try list.isStill || file.endsWithLineEnd() else {
      return nil
    }
    let this = ListReading.Reading(
      file: file, place: .reading, name: list.name, sha256: try file.sha256().whole, known: nil)
    var entries = ListEntries(file.reader(), isKnown: false)
    let (batch, isLast) = try entries.batch(of: Self.mostEntries, isInterrupted: { false })
    guard isLast, !batch.keys.isEmpty, try file.isUnchanged() else { return nil }
    return Member(reading: this, source: try reading.source(of: this, entries), batch: batch, entries: entries)
  }

  private func take(_ members: [Member]) throws -> [ListReading.Ending?] {
    let lists = try reading.queue.importWhole(members.map { ($0.source, $0.batch) })
    reading.committed()
    let filings = zip(members, lists).map { member, list in
      var receipt = Receipt(list, invalid: member.entries.invalid)
      receipt.isUnterminated = member.entries.isUnterminated
      return SpoolDirectory.Filing(file: member.reading.file, name: member.reading.name, receipt: receipt)
    }
    let filed = try reading.spool.accept(filings)
    try reading.noteFiled(
      zip(lists, members).compactMap { list, member in
        filed.contains(member.reading.name) ? (list.id, member.reading) : nil
      })
    return zip(filings, members).map { filing, member in
      guard filed.contains(filing.name) else { return nil }
      return .imported(filing.receipt, cutShort: member.entries.cutShort)
    }
  }
}
