import Registration

/// Taking a list out of `reading/` once it is read, or found to be of no use.
extension SpoolDirectory {
  package enum Moved: Hashable, Sendable {
    /// The file is where it belongs, now or since an earlier try.
    case moved
    /// The file was removed meanwhile; its receipt (or reason) is there.
    case gone
    /// Another file has its name now and stays where it is.
    case replaced
  }

  /// Writes `done/NAME.receipt.json`, then moves the list from `reading/` to `done/NAME`, unless it is there already.
  ///
  /// In this order, so that no kill leaves a list in `done/` without a receipt. A kill in between leaves the list in
  /// `reading/`; as its keys are committed, the next start comes here again with the same name and the same receipt, and
  /// both steps can be done again. Throws `isDiskFault` errors that are worth a retry.
  @discardableResult
  package func accept(_ file: SpoolFile, as name: ListName, receipt: Receipt) throws(SpoolError) -> Moved {
    try file.sync()
    try store(receipt, as: name)
    let moved = try move(name.fileName, file.status.identity, to: .done)
    // It may have been rejected before it grew.
    if moved == .moved { try folder(.rejected).remove(name.reasonFileName) }
    return moved
  }

  /// Writes `done/NAME.receipt.json` alone: for a list whose file is not there any more.
  package func store(_ receipt: Receipt, as name: ListName) throws(SpoolError) {
    let document: [UInt8]
    do {
      document = Array(try receipt.json())
    } catch {
      throw SpoolError(kind: .system, message: "cannot write the receipt of \(name): \(error)")
    }
    try write(document, to: name.receiptFileName, in: .done)
  }

  /// Writes `rejected/NAME.reason.txt`, then moves the list from `reading/` to `rejected/NAME`; in this order for the same
  /// reason.
  ///
  /// - Parameter identity: That of the file that was looked at, nil when it could not be opened. What is not a regular
  ///   file is never moved.
  @discardableResult
  package func reject(
    _ name: ListName, identity: FileStatus.Identity? = nil, _ rejection: Rejection
  ) throws(SpoolError) -> Moved {
    try write(Array(rejection.document(list: name).utf8), to: name.reasonFileName, in: .rejected)
    return try move(name.fileName, identity, to: .rejected)
  }

  private func write(_ document: [UInt8], to name: FileName, in place: Place) throws(SpoolError) {
    let file = try NewFile(in: folder(place))
    try file.write(document)
    // The folder is brought to the disk once the list is in it too.
    try file.replace(name, syncsFolder: false)
  }

  /// Moves `file` out of `reading/` if it is still the one that was opened.
  private func move(
    _ file: FileName, _ identity: FileStatus.Identity?, to place: Place
  ) throws(SpoolError) -> Moved {
    let (reading, target) = (try folder(.reading), try folder(place))
    if let present = try target.status(of: file) {
      if present.identity == identity {
        try target.sync()
        return .moved
      }
      throw SpoolError(
        kind: .system, message: "\(target.shown(file)) is there already",
        hint: "move it away; the list stays in reading/")
    }
    guard let source = try reading.status(of: file) else { return .gone }
    guard source.kind == .regular, identity == nil || source.identity == identity else { return .replaced }
    try reading.rename(file, to: file, in: target)
    try target.sync()
    try reading.sync()
    return .moved
  }
}
