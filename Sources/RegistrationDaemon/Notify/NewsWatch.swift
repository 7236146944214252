import ControlAPI
import Registration

/// What in a status is news that operators are told.
struct NewsWatch {
  /// A list that cannot be read may be readable a moment later: who created it may still set its mode.
  private static let blockedFor = 60.0

  private struct File: Hashable {
    var name: String
    var state: UnreadDocument.State
  }

  private var toldHoldSince: Timestamp?
  /// When each file was first seen, nil once it was told. Nil before the first look: what was there then is no news.
  private var files: [File: Timestamp?]?
  private var counts: (blocked: Int, rejected: Int)?

  /// - Parameters:
  ///   - unread: Called only if there may be something new.
  ///   - holdAfter: Seconds after which a hold is news.
  mutating func news(
    _ status: StatusDocument, holdAfter: Double, unread: () throws -> [UnreadDocument]
  ) rethrows -> [Announcement] {
    var news: [Announcement] = []
    if status.state == .holding, status.since != toldHoldSince, status.now.seconds(since: status.since) >= holdAfter {
      toldHoldSince = status.since
      news.append(Announcement(hold: status))
    }
    let lists = status.lists
    guard counts.map({ $0 != (lists.blocked, lists.rejected) }) ?? true || lists.blocked > 0 else { return news }
    let present = try unread().filter { $0.state != .ignored }
    counts = (lists.blocked, lists.rejected)
    let before = files
    var now: [File: Timestamp?] = [:]
    for file in present {
      let key = File(name: file.name, state: file.state)
      guard let before else {
        now[key] = .some(nil)
        continue
      }
      switch before[key] {
      case .some(nil): now[key] = .some(nil)
      case .some(let seen?): now[key] = seen
      case nil: now[key] = status.now
      }
      guard case .some(let seen?) = now[key] else { continue }
      if file.state == .blocked, status.now.seconds(since: seen) < Self.blockedFor { continue }
      now[key] = .some(nil)
      news.append(Announcement(unread: file, at: status.now))
    }
    files = now
    return news
  }
}
