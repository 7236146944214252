import ControlAPI
import Logging
import Registration
import RegistrationQueue
import Synchronization

/// Notifies operators by a command and by a URL, without delaying the work: each way has a dispatch queue of its own,
/// and a notification waits in the queue until it is delivered or given up.
final class Announcer: Sendable {
  private let queue: RegistrationQueue
  private let settings: SettingsInForce
  private let instance: Instance
  private let log: Logger
  private let watch = Mutex(NewsWatch())
  private let command = CommandDelivery()
  private let ways: [Deliveries]

  init(queue: RegistrationQueue, settings: SettingsInForce, instance: Instance, log: Logger) {
    self.queue = queue
    self.settings = settings
    self.instance = instance
    self.log = log
    ways = [
      Deliveries(by: .command, from: queue, log: log) { [command] in
        let now = settings.current
        return now.notifyCommand.map { path in
          { command.deliver($0, by: .init(path: path, instance: instance.name, socket: now.socket)) }
        }
      },
      Deliveries(by: .url, from: queue, log: log) {
        let now = settings.current
        return now.notifyURL.map { url in { PostDelivery(url: url, route: now.route).deliver($0) } }
      },
    ]
  }

  /// Delivers what was due when the last run ended.
  func start() { for way in ways { way.look() } }

  /// What has to be kept in the queue to announce this, best in one transaction with the event. `wereKept` comes after it.
  func due(_ announcement: Announcement) -> [DueNotification] {
    let now = settings.current
    var ways: [DueNotification.Way] = []
    if now.notifyCommand != nil { ways.append(.command) }
    if now.notifyURL != nil { ways.append(.url) }
    guard !ways.isEmpty else { return [] }
    var announcement = announcement
    announcement.instance = instance.name
    guard let bytes = try? DocumentCoding.encode(announcement) else { return [] }
    let text = String(decoding: bytes, as: UTF8.self)
    return ways.map { DueNotification(text, by: $0) }
  }

  /// - Parameter dropped: How many older notifications were dropped because too many are due.
  func wereKept(dropped: Int) {
    if dropped > 0 {
      log.warning("too many notifications are due; the oldest were dropped", metadata: ["dropped": "\(dropped)"])
    }
    for way in ways { way.look() }
  }

  /// Announces a status's news.
  func look(_ status: StatusDocument, unread: () throws -> [UnreadDocument]) {
    let now = settings.current
    guard now.notifyCommand != nil || now.notifyURL != nil else { return }
    do {
      let holdAfter = Double(now.notifyHoldAfter) / 1_000
      let news = try watch.withLock { try $0.news(status, holdAfter: holdAfter, unread: unread) }
      if !news.isEmpty { tell(news.flatMap(due)) }
    } catch {
      // A queue that cannot be read shows as a hold; this is tried again.
      log.debug("the lists that cannot be read could not be looked at", metadata: ["detail": "\(error)"])
    }
  }

  private func tell(_ notifications: [DueNotification]) {
    do {
      wereKept(dropped: try queue.keep(notifications))
    } catch {
      // The news may be about that very disk.
      log.debug("notifications could not be kept", metadata: ["detail": "\(error)"])
      for way in ways { way.addUnkept(notifications) }
    }
  }

  /// Waits until what is due is delivered, at most `seconds`. The rest is delivered after the next start; a command that
  /// still runs is killed.
  func finish(within seconds: Double) {
    let end = MonotonicClock.now() + seconds
    for way in ways { way.finish(by: end) }
    command.stop()
  }
}
