import HTTPServer
import NIOCore
import Synchronization

/// The open streams and uploads: they may last for hours, and must not use up all connections. Also limits
/// requests that are held in memory, so that they cannot exhaust it.
final class LongExchanges: Sendable {
  /// A slot for one of them, released when its last reference goes away.
  final class Slot: Sendable {
    private let all: LongExchanges

    fileprivate init(_ all: LongExchanges) {
      self.all = all
    }

    deinit {
      all.count.withLock { $0 -= 1 }
    }
  }

  private let limit: Int
  private let what: String
  private let count = Mutex(0)

  init(limit: Int, of what: String = "streams and uploads") {
    self.limit = limit
    self.what = what
  }

  /// A place for a stream or an upload on this connection. Throws as below.
  func take(for channel: any Channel) throws -> Slot {
    let place = try take()
    channel.lasts()
    return place
  }

  /// Throws `ControlError` `.unavailable` when there are too many.
  func take() throws -> Slot {
    let isFree = count.withLock { count in
      guard count < limit else { return false }
      count += 1
      return true
    }
    guard isFree else {
      throw ControlError(
        .unavailable, "\(limit) \(what) are open already", hint: "end one of them; status and lists still work")
    }
    return Slot(self)
  }
}
