import Registration

/// Filing many lists at once.
///
/// For each of them everything happens in the order of `accept`: first the list and its receipt are on disk, then the list
/// moves. But one sync of a folder serves all, and all files are written and waited for at the same time: a list by itself costs
/// eight flushes of the disk, one of many a fraction of one.
extension SpoolDirectory {
  /// A list to file.
  package struct Filing {
    package var file: SpoolFile
    package var name: ListName
    package var receipt: Receipt

    package init(file: SpoolFile, name: ListName, receipt: Receipt) {
      self.file = file
      self.name = name
      self.receipt = receipt
    }
  }

  /// Does for each of these lists what `accept` does for one. Returns the names of those that are in `done/` now. For each
  /// of the others, `accept` reports what is wrong.
  ///
  /// When this throws, some may have been filed. It is not known which, but each can be accepted again.
  package func accept(_ lists: [Filing]) throws(SpoolError) -> Set<ListName> {
    let (reading, done, rejected) = (try folder(.reading), try folder(.done), try folder(.rejected))
    try store(lists, in: done)
    var moved: [Filing] = []
    for list in lists where try isMovable(list, from: reading, to: done) {
      try reading.rename(list.name.fileName, to: list.name.fileName, in: done)
      moved.append(list)
    }
    try done.sync()
    try reading.sync()
    for list in moved { try forgetRejection(of: list.name, list.file.status.identity, in: rejected) }
    return Set(moved.map(\.name))
  }

  /// Brings the lists and their receipts to the disk.
  private func store(_ lists: [Filing], in done: Folder) throws(SpoolError) {
    var receipts: [NewFile] = []
    for list in lists {
      let receipt = try NewFile(in: done)
      try receipt.write(document(list.receipt, of: list.name))
      try receipt.beginSync()
      list.file.beginSync()
      receipts.append(receipt)
    }
    let files = lists.map(\.file.descriptor.number) + receipts.map(\.descriptor.number)
    if let fault = GroupSync.faults(of: files).compactMap(\.self).first {
      throw SpoolError("write \(lists.count) lists and their receipts to the disk", code: fault.code)
    }
    for (list, receipt) in zip(lists, receipts) { try receipt.rename(to: list.name.receiptFileName) }
    try done.sync()
  }

  private func isMovable(_ list: Filing, from reading: Folder, to done: Folder) throws(SpoolError) -> Bool {
    let source = try reading.status(of: list.name.fileName)
    guard source?.kind == .regular, source?.identity == list.file.status.identity else { return false }
    return try done.status(of: list.name.fileName) == nil
  }
}
