import Glibc
import Registration

/// What inotify reports about the spool's folders, as values.
final class FolderEvents: Sendable {
  enum Notice: Hashable, Sendable {
    /// In `incoming/`.
    case arrival(ArrivalRule.Event)
    /// The permissions of a file in `incoming/` changed.
    case permissions(FileName)
    /// A file in one of the other folders was written to.
    case written(FileName)
    /// A file is no longer in `rejected/`.
    case removed(FileName)
    /// The folder of this watch was removed, moved or unmounted: the watch is void.
    case folderGone(watch: Int32)
    /// Events of some folder were lost.
    case overflow
  }

  private static let ofIncoming =
    IN_CREATE | IN_OPEN | IN_MODIFY | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE | IN_ATTRIB | IN_MOVED_TO | IN_MOVED_FROM
    | IN_DELETE | ofFolder
  private static let ofOthers = IN_MODIFY | IN_CLOSE_WRITE | ofFolder
  private static let ofRejected = ofOthers | IN_MOVED_FROM | IN_DELETE
  private static let ofFolder = IN_DELETE_SELF | IN_MOVE_SELF

  private let descriptor: Descriptor
  /// For a read source.
  var number: Int32 { descriptor.number }

  /// Throws when the system allows no further inotify instance (`fs.inotify.max_user_instances`).
  init() throws(SpoolError) {
    let number = inotify_init1(O_NONBLOCK | O_CLOEXEC)
    guard number >= 0 else {
      var error = SpoolError("watch the spool", code: errno)
      error.hint = "raise fs.inotify.max_user_instances; until then the spool is scanned from time to time"
      throw error
    }
    descriptor = Descriptor(owning: number)
  }

  /// Watches the folder at `path` and returns the watch's number.
  func watch(_ path: String, as place: SpoolDirectory.Subfolder) throws(SpoolError) -> Int32 {
    let interest =
      switch place {
      case .incoming: Self.ofIncoming
      case .rejected: Self.ofRejected
      default: Self.ofOthers
      }
    let mask = UInt32(interest) | UInt32(IN_ONLYDIR) | UInt32(IN_DONT_FOLLOW)
    let watch = inotify_add_watch(number, path, mask)
    guard watch >= 0 else {
      var error = SpoolError("watch \(path)", code: errno)
      if error.code == ENOSPC { error.hint = "raise fs.inotify.max_user_watches" }
      throw error
    }
    return watch
  }

  func unwatch(_ watch: Int32) {
    // Fails if the folder, and its watch, are already gone: then there is nothing to do.
    inotify_rm_watch(number, watch)
  }

  /// Reads one batch of pending events for `watches`, and ignores older watches. Never blocks.
  func read(of watches: [Int32: SpoolDirectory.Subfolder]) -> [Notice] {
    var notices: [Notice] = []
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    // Bounded, so that a fast writer cannot keep us in this loop; the rest comes with the next event.
    for _ in 0..<16 {
      let count = buffer.withUnsafeMutableBytes { try? FileIO.read(number, into: $0) }
      // Nothing more for now. An error means the same: the next scan of the folders needs no events.
      guard let count, count > 0 else { return notices }
      buffer.withUnsafeBytes { bytes in
        Self.parse(UnsafeRawBufferPointer(rebasing: bytes[..<count]), watches: watches, into: &notices)
      }
    }
    return notices
  }

  /// The layout is `struct inotify_event` of inotify(7): watch, mask, cookie, length, and a name padded with NULs.
  private static func parse(
    _ bytes: UnsafeRawBufferPointer, watches: [Int32: SpoolDirectory.Subfolder], into notices: inout [Notice]
  ) {
    let header = MemoryLayout<inotify_event>.size
    var offset = 0
    while offset + header <= bytes.count {
      let watch = bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)
      let mask = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
      let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
      let end = min(offset + header + length, bytes.count)
      let name = FileName(bytes: bytes[(offset + header)..<end].prefix { $0 != 0 })
      offset = end
      if mask & UInt32(IN_Q_OVERFLOW) != 0 {
        notices.append(.overflow)
      } else if let place = watches[watch], let notice = notice(mask, name, watch, place) {
        notices.append(notice)
      }
    }
  }

  private static func notice(
    _ mask: UInt32, _ name: FileName, _ watch: Int32, _ place: SpoolDirectory.Subfolder
  ) -> Notice? {
    func has(_ flag: Int) -> Bool { mask & UInt32(flag) != 0 }
    if has(Int(IN_DELETE_SELF)) || has(Int(IN_MOVE_SELF)) || has(Int(IN_IGNORED)) || has(Int(IN_UNMOUNT)) {
      return .folderGone(watch: watch)
    }
    if name.isIgnored { return nil }
    guard place == .incoming else {
      if ListName.isCompanion(name) { return nil }
      return has(Int(IN_DELETE)) || has(Int(IN_MOVED_FROM)) ? .removed(name) : .written(name)
    }
    if has(Int(IN_CLOSE_WRITE)) { return .arrival(.closed(name, afterWriting: true)) }
    if has(Int(IN_CLOSE_NOWRITE)) { return .arrival(.closed(name, afterWriting: false)) }
    if has(Int(IN_MOVED_TO)) { return .arrival(.movedIn(name)) }
    if has(Int(IN_MODIFY)) { return .arrival(.modified(name)) }
    if has(Int(IN_CREATE)) { return .arrival(.made(name)) }
    if has(Int(IN_OPEN)) { return .arrival(.opened(name)) }
    if has(Int(IN_DELETE)) || has(Int(IN_MOVED_FROM)) { return .arrival(.gone(name)) }
    return has(Int(IN_ATTRIB)) ? .permissions(name) : nil
  }
}
