import ControlAPI
import RegistrationQueue
import Spool

/// What lies in the spool and is no list of the queue, with why and what helps. Never waits for the spool.
struct UnreadLists {
  /// Rejected lists that are told; `rejected/` has the others too.
  private static let most = 1_000

  private let queue: RegistrationQueue
  private let standing: IntakeStanding
  private let faults: [ListName: Importer.Fault]

  init(_ daemon: Daemon) {
    queue = daemon.queue
    standing = daemon.watcher.standing
    faults = daemon.importer.faults
  }

  func documents() throws -> [UnreadDocument] {
    let blocked = standing.blocked.map { name, warning in
      UnreadDocument(name: "\(name)", state: .blocked, reason: warning.description, hint: warning.hint)
    }
    let faulty = faults.map { name, fault in
      UnreadDocument(name: name.text, state: .blocked, reason: fault.text, hint: fault.hint)
    }
    let ignored = standing.ignored.map { name, reason in
      UnreadDocument(
        name: "\(name)", state: .ignored, reason: reason, hint: "rename it when it is whole, if it is a list")
    }
    let rejected = try queue.rejectedLists(limit: Self.most).map { list in
      UnreadDocument(
        name: list.name, state: .rejected, reason: (list.line.map { "line \($0): " } ?? "") + list.what, hint: list.hint
      )
    }
    return (blocked + faulty).sorted { $0.name < $1.name } + rejected + ignored.sorted { $0.name < $1.name }
  }
}
