import Synchronization

/// How many streams and uploads are open: they may last for hours, and must not take up every connection.
final class LongExchanges: Sendable {
  /// A place among them, given back with its last owner.
  final class Place: Sendable {
    private let all: LongExchanges

    fileprivate init(_ all: LongExchanges) {
      self.all = all
    }

    deinit {
      all.count.withLock { $0 -= 1 }
    }
  }

  private let limit: Int
  private let count = Mutex(0)

  init(limit: Int) {
    self.limit = limit
  }

  /// Throws `ControlError` `.unavailable` when there are too many.
  func take() throws -> Place {
    let isFree = count.withLock { count in
      guard count < limit else { return false }
      count += 1
      return true
    }
    guard isFree else {
      throw ControlError(
        .unavailable, "\(limit) streams and uploads are open already",
        hint: "end one of them; status, lists and commands are answered all the same")
    }
    return Place(self)
  }
}
