import Registration

/// Moving a list out of `reading/` once it was read or proved unusable.
extension SpoolDirectory {
  package enum Moved: Hashable, Sendable {
    /// The file is where it belongs, from now or from an earlier attempt.
    case moved
    /// The file was removed meanwhile; its receipt (or reason) was written.
    case gone
    /// Another file has its name now and stays where it is.
    case replaced
  }

  /// Writes `done/NAME.receipt.json`, then moves the list from `reading/` to `done/NAME`, unless it is already there.
  ///
  /// In this order, on disk too, so that neither a kill nor a power cut leaves a list in `done/` without a receipt. One in
  /// between leaves the list in `reading/`. Its keys are committed, so the next start repeats both steps with the same name
  /// and receipt. Throws `isDiskFault` errors that are worth a retry.
  @discardableResult
  package func accept(_ file: SpoolFile, as name: ListName, receipt: Receipt) throws(SpoolError) -> Moved {
    try file.sync()
    try store(receipt, as: name)
    let moved = try move(name.fileName, file.status.identity, to: .done)
    guard moved == .moved else { return moved }
    try forgetRejection(of: name, file.status.identity, in: folder(.rejected))
    return moved
  }

  /// Removes the reason of a list that was rejected before it grew, and its name in `rejected/`, which a power cut may have
  /// left.
  func forgetRejection(of name: ListName, _ list: FileStatus.Identity, in rejected: Folder) throws(SpoolError) {
    if try rejected.status(of: name.fileName)?.identity == list { try rejected.remove(name.fileName) }
    try rejected.remove(name.reasonFileName)
  }

  /// Only writes `done/NAME.receipt.json`, for a list whose file is gone.
  package func store(_ receipt: Receipt, as name: ListName) throws(SpoolError) {
    try write(document(receipt, of: name), to: name.receiptFileName, in: .done)
  }

  func document(_ receipt: Receipt, of name: ListName) throws(SpoolError) -> [UInt8] {
    do {
      return Array(try receipt.json())
    } catch {
      throw SpoolError(kind: .system, message: "cannot write the receipt of \(name): \(error)")
    }
  }

  /// Writes `rejected/NAME.reason.txt`, then moves the list from `reading/` to `rejected/NAME`, in this order for the
  /// same reason.
  ///
  /// - Parameter identity: The file that was examined, nil when it could not be opened. Only regular files are moved.
  @discardableResult
  package func reject(
    _ name: ListName, identity: FileStatus.Identity? = nil, _ rejection: Rejection
  ) throws(SpoolError) -> Moved {
    try write(Array(rejection.document(list: name).utf8), to: name.reasonFileName, in: .rejected)
    return try move(name.fileName, identity, to: .rejected)
  }

  func write(_ document: [UInt8], to name: FileName, in place: Subfolder) throws(SpoolError) {
    let file = try NewFile(in: folder(place))
    try file.write(document)
    try file.replace(name)
  }

  /// Moves `file` out of `reading/` if it is still the one that was opened.
  private func move(
    _ file: FileName, _ identity: FileStatus.Identity?, to place: Subfolder
  ) throws(SpoolError) -> Moved {
    let (reading, target) = (try folder(.reading), try folder(place))
    if let present = try target.status(of: file) {
      if present.identity == identity {
        try target.sync()
        // After a power cut a file may have both names. Renaming one to the other would then do nothing.
        if try reading.status(of: file)?.identity == identity {
          try reading.remove(file)
          try reading.sync()
        }
        return .moved
      }
      throw SpoolError(
        kind: .system, message: "\(target.shown(file)) already exists",
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
