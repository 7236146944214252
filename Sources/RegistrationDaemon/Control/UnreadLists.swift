import ControlAPI
import RegistrationQueue
import Spool

/// Files in the spool that are not lists of the queue, with the reason and a hint. Never waits for the spool.
struct UnreadLists {
  /// Rejected lists that are shown; the others are in `rejected/`, too.
  private static let most = 1_000

  let queue: RegistrationQueue
  let standing: IntakeStanding
  let faults: [ListName: ImportFault]

  func documents() throws -> [UnreadDocument] {
    let blocked = standing.blocked.map { name, warning in
      UnreadDocument(name: "\(name)", state: .blocked, reason: warning.description, hint: warning.hint)
    }
    let faulty = faults.map { name, fault in
      UnreadDocument(name: name.text, state: .blocked, reason: fault.text, hint: fault.hint)
    }
    let ignored = standing.ignored.map { name, reason in
      UnreadDocument(
        name: "\(name)", state: .ignored, reason: reason, hint: "if it is a list, rename it once it is complete")
    }
    let rejected = try queue.rejectedLists(limit: Self.most).map(UnreadDocument.init)
    return (blocked + faulty).sorted { $0.name < $1.name } + rejected + ignored.sorted { $0.name < $1.name }
  }
}

extension UnreadDocument {
  init(_ list: RejectedList) {
    self.init(
      name: list.name, state: .rejected, reason: (list.line.map { "line \($0): " } ?? "") + list.what, hint: list.hint)
  }
}
