import KeyList
import RegistrationQueue
import Spool

extension ListRecord {
  /// Two writes within one tick of the kernel's clock have the same time. In milliseconds; several ticks.
  private static let tick: Int64 = 20

  /// Size and times tell that nothing was written since the list was read. Says no when in doubt: a hash tells then.
  ///
  /// The time of modification can be set by whoever writes, that of the last change of the entry cannot.
  func isReadToItsEnd(_ status: FileStatus) -> Bool {
    guard let filedAt, let importedAt, Int64(bytes) == status.size, modified == status.modified else { return false }
    guard status.changedAt <= filedAt else { return false }
    return status.modified / 1_000_000 + Self.tick < importedAt.milliseconds
  }
}

extension SpoolDirectory {
  /// Adds to the receipt that the list was stopped, if it was.
  func amendReceipt(of name: ListName, _ list: ListRecord) throws(SpoolError) {
    guard let stop = list.stop, let time = list.stoppedAt else { return }
    try amendReceipt(of: name, stoppedAt: time, because: stop.detail)
  }
}

extension RejectedList {
  /// Size and times tell that nothing was written to the file since it was looked at.
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
  }
}
