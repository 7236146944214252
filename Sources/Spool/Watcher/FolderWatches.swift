/// The watches on the spool's folders: a value that asks the system. A folder that was removed and created again is watched
/// again.
///
/// While a folder cannot be watched, writes to filed lists are not reported. They are then compared with what was
/// read of them: once a minute, and when the folder is watched again.
struct FolderWatches {
  struct Renewal {
    /// Events of `incoming/` were lost.
    var hasLostArrivals = false
    /// Filed lists may have been written to unnoticed.
    var mayHaveMissedWrites = false
    /// Why there are no events, if that is news.
    var refusal: SpoolError?
  }

  private static let places: [SpoolDirectory.Subfolder] = [.incoming, .reading, .done, .rejected]
  private static let blindness = Duration.seconds(60)

  private var watches: [SpoolDirectory.Subfolder: (number: Int32, folder: FileStatus.Identity)] = [:]
  /// While some folder cannot be watched: when filed lists were last compared, or when this time began.
  private var blindSince: Duration?

  /// The folder of each watch.
  var folders: [Int32: SpoolDirectory.Subfolder] {
    Dictionary(uniqueKeysWithValues: watches.map { ($0.value.number, $0.key) })
  }

  /// The watch is void.
  mutating func forget(_ watch: Int32) {
    watches = watches.filter { $0.value.number != watch }
  }

  /// Watches whatever is in the place of each folder.
  ///
  /// - Parameters:
  ///   - events: Nil when the system allows none.
  ///   - now: On a monotonic clock.
  mutating func renew(
    _ spool: SpoolDirectory, by events: FolderEvents?, at now: Duration
  ) throws(SpoolError) -> Renewal {
    var renewal = Renewal()
    var refusal: SpoolError?
    if let events {
      for place in Self.places {
        let folder = try spool.folder(place)
        let identity = try folder.status().identity
        if watches[place]?.folder == identity { continue }
        if let old = watches.removeValue(forKey: place) {
          events.unwatch(old.number)
          if place == .incoming { renewal.hasLostArrivals = true } else { renewal.mayHaveMissedWrites = true }
        }
        do throws(SpoolError) {
          watches[place] = (try events.watch(folder.path, as: place), identity)
        } catch {
          refusal = error
        }
      }
    }
    if events == nil || refusal != nil {
      if blindSince == nil { renewal.refusal = refusal }
      let since = blindSince ?? now
      let isLong = now - since >= Self.blindness
      blindSince = isLong ? now : since
      if isLong { renewal.mayHaveMissedWrites = true }
    } else if blindSince != nil {
      blindSince = nil
      renewal.mayHaveMissedWrites = true
    }
    return renewal
  }
}
