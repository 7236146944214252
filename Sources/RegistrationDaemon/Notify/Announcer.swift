import ControlAPI
import Dispatch
import Logging
import Registration
import RegistrationQueue
import Synchronization

/// Tells operators what has happened, by a command and by a URL. Never in the way of the work: each has a queue of its own,
/// and what cannot be delivered is dropped with a warning.
final class Announcer: Sendable {
  private let settings: SettingsInForce
  private let instance: Instance
  private let log: Logger
  private let watch = Mutex(NewsWatch())
  private let commands: Deliveries
  private let posts: Deliveries

  init(settings: SettingsInForce, instance: Instance, log: Logger) {
    self.settings = settings
    self.instance = instance
    self.log = log
    commands = Deliveries(label: "keyreg.notify.command", name: "notify.command", log: log)
    posts = Deliveries(label: "keyreg.notify.url", name: "notify.url", log: log)
  }

  /// The results of a list are written.
  func done(_ list: ListRecord) { tell(Announcement(done: list, at: .now())) }

  /// Tells what is new in a status.
  func look(_ status: StatusDocument, unread: () throws -> [UnreadDocument]) {
    let now = settings.current
    guard now.notifyCommand != nil || now.notifyURL != nil else { return }
    do {
      let holdAfter = Double(now.notifyHoldAfter) / 1_000
      let news = try watch.withLock { try $0.news(status, holdAfter: holdAfter, unread: unread) }
      for announcement in news { tell(announcement) }
    } catch {
      // A queue that cannot be read shows as a hold; this is tried again.
      log.debug("the lists that cannot be read could not be looked at", metadata: ["detail": "\(error)"])
    }
  }

  /// Waits until what was told is delivered, at most `seconds`.
  func finish(within seconds: Double) {
    let end = DispatchTime.now() + seconds
    commands.finish(by: end)
    posts.finish(by: end)
  }

  private func tell(_ announcement: Announcement) {
    var announcement = announcement
    announcement.instance = instance.name
    guard let bytes = try? DocumentCoding.encode(announcement) else { return }
    let now = settings.current
    if let command = now.notifyCommand {
      commands.add { CommandDelivery(path: command, instance: self.instance.name, socket: now.socket).deliver(bytes) }
    }
    if let url = now.notifyURL {
      posts.add { PostDelivery(url: url, route: now.route).deliver(bytes) }
    }
  }
}
