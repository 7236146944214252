import RegistrationQueue

/// What to do with the file of a list, based on what the queue knows and what the file contains now.
enum ReadingPlan: Hashable {
  /// No list has this name yet: the file is read from its beginning.
  case begin
  /// Everything in the file was read, and it is where it belongs.
  case nothing
  /// Everything in the file was read; it must still be filed with its receipt.
  case file
  /// The first `entries` entries are committed, and the part of the file that they came from is unchanged: an import
  /// was interrupted, or the list has grown.
  case resume(entries: Int)
  /// The part that was read has changed, or cannot be told apart from what was added: the file is read again from its
  /// beginning, and its counts are replaced.
  case replace

  /// What the file contains now.
  struct Content {
    var size: Int
    var sha256: String
    /// Of the number of bytes that were read according to the queue; nil when the file has fewer.
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
  /// It has keys from an earlier content of its file. If one of them came again, reading on would count it as a
  /// duplicate.
  fileprivate var hasEarlierKeys: Bool { keys.total > accepted + alreadyKnown }
}
