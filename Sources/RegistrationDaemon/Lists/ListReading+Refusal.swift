import Registration
import RegistrationQueue
import Spool

/// Lists that are not taken.
extension ListReading {
  /// A new list that is too large is rejected. One that has grown stays where it is, and shows as blocked.
  func refuse(_ file: SpoolFile, tooLargeFor known: ListRecord?, as name: ListName) throws -> Ending {
    let hint = "split the list, or raise spool.max_file_size"
    guard let known else {
      let what = "the list has \(file.size) bytes, more than the \(maxFileSize) allowed"
      return try reject(
        name, file, Rejection(what: what, hint: hint, extent: Rejection.Extent(read: 0, size: file.size)))
    }
    throw SpoolError(
      kind: .tooLarge,
      message: "it has grown from \(known.bytes) to \(file.size) bytes, more than the \(maxFileSize) allowed",
      hint: "raise spool.max_file_size, or put what was added into a separate list")
  }

  func reject(_ name: ListName, _ file: SpoolFile, _ rejection: Rejection) throws -> Ending {
    var list = RejectedList(
      name: name.text, bytes: file.size, modified: file.status.modified, what: rejection.what, line: rejection.line,
      hint: rejection.hint, at: .now())
    let dropped = try queue.noteRejected(list, telling: announcer?.due(Announcement(rejected: list)) ?? [])
    announcer?.wereKept(dropped: dropped)
    try spool.reject(name, identity: file.status.identity, rejection)
    // The move has changed its entry: later changes are somebody else's.
    list.at = Self.moment(try spool.status(of: name.fileName, in: .rejected))
    try queue.noteRejected(list)
    try spool.clearMarks(file)
    return .rejected(name, rejection)
  }
}
