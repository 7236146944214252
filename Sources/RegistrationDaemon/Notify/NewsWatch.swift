import ControlAPI
import Registration
import Spool

/// What in a status is news to operators: holds that last, and lists that cannot be read. It starts over with each
/// start: what still lasts then is reported again.
struct NewsWatch {
  /// A list that cannot be read may be readable a moment later: its creator may still set its mode.
  private static let blockedFor = 60.0

  private enum Blocked {
    case seen(Timestamp)
    case told
  }

  private var toldHoldSince: Timestamp?
  private var files: [FileName: Blocked] = [:]

  /// - Parameters:
  ///   - unread: Called only if there is a list that cannot be read.
  ///   - holdAfter: Seconds after which a hold is news.
  mutating func news(
    _ status: StatusDocument, holdAfter: Double, unread: () throws -> [UnreadDocument]
  ) rethrows -> [Announcement] {
    var news: [Announcement] = []
    if status.state == .holding, status.since != toldHoldSince, status.now.seconds(since: status.since) >= holdAfter {
      toldHoldSince = status.since
      news.append(Announcement(hold: status))
    }
    let blocked = status.lists.blocked > 0 ? try unread().filter { $0.state == .blocked } : []
    var now: [FileName: Blocked] = [:]
    for file in blocked {
      let name = FileName(file.name)
      switch files[name] ?? .seen(status.now) {
      case .seen(let since) where status.now.seconds(since: since) < Self.blockedFor: now[name] = .seen(since)
      case .told: now[name] = .told
      case .seen:
        now[name] = .told
        news.append(Announcement(blocked: file, at: status.now))
      }
    }
    files = now
    return news
  }
}
