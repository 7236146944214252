import RegistrationQueue

/// What to do with the file of a list, from what the queue knows of the list and what the file holds now.
enum ReadingPlan: Hashable {
  /// No list has this name yet: the file is read from its beginning.
  case begin
  /// Everything in the file is read, and it lies where it belongs.
  case nothing
  /// Everything in the file is read; it is still to be filed with its receipt.
  case file
  /// The first `entries` entries are committed, and the part of the file that they came from is what it was: an import was
  /// interrupted, or the list has grown.
  case resume(entries: Int)
  /// What was read of it is no longer what the file holds, or cannot be told apart from what was added: it is read again
  /// from its beginning, and its counts are replaced.
  case replace

  /// What the file holds now.
  struct Content {
    var size: Int
    var sha256: String
    /// Of as many bytes as the queue says that were read; nil when there are not as many.
    var sha256OfKnown: String?
  }

  init(known: ListRecord?, content: Content) {
    guard let known else {
      self = .begin
      return
    }
    if known.sha256 == content.sha256, known.bytes == content.size {
      if known.importedAt == nil {
        self = known.hasEarlierKeys ? .replace : .resume(entries: known.entries)
      } else {
        self = known.filedAt == nil ? .file : .nothing
      }
    } else if known.sha256 == content.sha256OfKnown, !known.isUnterminated, !known.hasEarlierKeys {
      self = .resume(entries: known.entries)
    } else {
      self = .replace
    }
  }
}

extension ListRecord {
  /// It has keys that an earlier content of its file brought. Where one of them comes again, reading on would count it as
  /// a repetition.
  fileprivate var hasEarlierKeys: Bool { keys.total > accepted + alreadyKnown }
}
