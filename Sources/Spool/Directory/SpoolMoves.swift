import Registration

/// Taking a list out of `incoming/` once it is read, or found to be of no use.
extension SpoolDirectory {
  package enum Moved: Hashable, Sendable {
    /// The file is where it belongs, now or since an earlier try.
    case moved
    /// The file was removed meanwhile; its receipt (or reason) is there.
    case gone
    /// Another file has its name now and stays in `incoming/`: a list of its own.
    case replaced
  }

  /// Writes `done/NAME.receipt.json`, then moves the list to `done/NAME`.
  ///
  /// In this order, so that no kill leaves a list in `done/` without a receipt. A kill in between leaves the list in
  /// `incoming/`; as its keys are committed, the next start comes here again with the same name and the same receipt, and
  /// both steps can be done again. `name` comes from `freeName`. Throws `isDiskFault` errors that are worth a retry.
  @discardableResult
  package func accept(_ file: SpoolFile, as name: ListName, receipt: Receipt) throws(SpoolError) -> Moved {
    try store(receipt, as: name)
    return try move(file.name, file.status.identity, to: .done, as: name)
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

  /// Writes `rejected/NAME.reason.txt`, then moves the list to `rejected/NAME`; in this order for the same reason.
  ///
  /// `identity` is that of the file that was looked at, nil when it could not be opened. What is not a regular file is
  /// never moved.
  @discardableResult
  package func reject(
    _ file: FileName, identity: FileStatus.Identity? = nil, as name: ListName, _ rejection: Rejection
  ) throws(SpoolError) -> Moved {
    try write(Array(rejection.document(list: name).utf8), to: name.reasonFileName, in: .rejected)
    return try move(file, identity, to: .rejected, as: name)
  }

  private func write(_ document: [UInt8], to name: FileName, in place: Place) throws(SpoolError) {
    let file = try NewFile(in: folder(place))
    try file.write(document)
    // The folder is brought to the disk once the list is in it too.
    try file.replace(name, syncsFolder: false)
  }

  /// Moves `file` out of `incoming/` if it is still the one that was opened.
  private func move(
    _ file: FileName, _ identity: FileStatus.Identity?, to place: Place, as name: ListName
  ) throws(SpoolError) -> Moved {
    let incoming = try folder(.incoming)
    let target = try folder(place)
    let present = try target.status(of: name.fileName)
    if let present, present.identity == identity { return .moved }
    guard let source = try incoming.status(of: file) else { return .gone }
    guard source.kind == .regular, identity == nil || source.identity == identity else { return .replaced }
    if present != nil {
      throw SpoolError(
        kind: .system, message: "\(target.shown(name.fileName)) is there already",
        hint: "move it away; the list stays in incoming/")
    }
    try incoming.rename(file, to: name.fileName, in: target)
    // Whoever may drop may also have exchanged the file at this very moment: then it goes back.
    if try target.status(of: name.fileName)?.identity != source.identity {
      try putBack(name.fileName, from: target, to: incoming, as: file)
      return .replaced
    }
    try target.sync()
    try incoming.sync()
    return .moved
  }

  private func putBack(
    _ name: FileName, from target: Folder, to incoming: Folder, as file: FileName
  ) throws(SpoolError) {
    var number = 1
    var free = file
    while try !target.rename(name, toFree: free, in: incoming) {
      number += 1
      free = FileName(bytes: file.bytes + ".\(number)".utf8)
    }
  }
}
