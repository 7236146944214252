import KeyList
import RegistrationQueue
import Spool

extension ListRecord {
  /// Two writes within one tick of the kernel's clock have the same time. In milliseconds; several ticks.
  private static let tick: Int64 = 20

  /// Size and times show that nothing was written since the list was read. False when in doubt: a hash decides then.
  ///
  /// A writer can set the modification time, but not the time at which the entry last changed.
  func isReadToItsEnd(_ status: FileStatus) -> Bool {
    guard let filedAt, let importedAt, Int64(bytes) == status.size, modified == status.modified else { return false }
    guard status.changedAt <= filedAt else { return false }
    return status.modified / 1_000_000 + Self.tick < importedAt.milliseconds
  }
}

extension SpoolDirectory {
  /// The list may have been stopped, or resumed, since its receipt was written.
  func amendReceipt(of list: ListRecord) throws(SpoolError) {
    try amendReceipt(of: ListName(stored: list.name), stop: Receipt.Stop(list))
  }
}

extension Receipt.Stop {
  fileprivate init?(_ list: ListRecord) {
    guard let time = list.stoppedAt, let stop = list.stop else { return nil }
    self.init(at: time, reason: stop.detail)
  }
}

extension RejectedList {
  /// Size and times show that nothing was written to the file since it was looked at.
  func isOf(_ status: FileStatus) -> Bool {
    bytes == status.size && modified == status.modified && status.changedAt <= at
  }
}

extension Receipt {
  init(_ list: ListRecord, invalid: [InvalidLine]) {
    self.init(
      list: list.name, id: list.id, sha256: list.sha256, bytes: Int64(list.bytes),
      importedAt: list.importedAt ?? list.arrivedAt,
      keys: Keys(
        accepted: list.accepted, alreadyKnown: list.alreadyKnown, duplicateInList: list.duplicateInList,
        invalid: list.invalid),
      invalid: invalid, duplicateOf: list.duplicateOf, requeued: list.requeued, format: list.format,
      column: list.column, isUnterminated: list.isUnterminated)
    terms = list.terms
    stop = Stop(list)
  }
}
