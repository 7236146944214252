import Dispatch
import RegistrationAPI
import RegistrationCore
import Synchronization

/// Events that the core has yet to get, in order. Posting never waits.
final class Inbox: Sendable {
  struct Mail: Sendable {
    enum Content: Sendable {
      case event(Event)
      /// A worker has finished.
      case exchange(Exchange, order: Int, worker: Int)
    }

    var content: Content
    /// When it was posted.
    var moment: Moment

    init(_ content: Content) {
      self.content = content
      moment = .now()
    }

    /// Results are on disk.
    var isCommit: Bool { if case .event(.committed) = content { true } else { false } }
  }

  private struct State {
    var mail: [Mail] = []
    let doorbell: any DispatchSourceUserDataAdd
  }

  private let state: Mutex<State>
  /// Lets a reader that would find nothing skip the lock.
  private let mailed = Atomic(false)

  /// - Parameter serial: The dispatch queue on which `open`'s handler is called.
  init(serial: DispatchQueue) {
    state = Mutex(Self.make(serial))
  }

  private static func make(_ serial: DispatchQueue) -> sending State {
    State(doorbell: DispatchSource.makeUserDataAddSource(queue: serial))
  }

  /// From now on `handler` is called, once for all events that came meanwhile. Call this once.
  func open(_ handler: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.doorbell.setEventHandler { @Sendable in handler() }
      state.doorbell.activate()
    }
  }

  func post(_ event: Event) {
    put(Mail(.event(event)))
    state.withLock { $0.doorbell.add(data: 1) }
  }

  /// Adds mail for the next reader. Unlike `post`, it wakes none.
  func put(_ mail: Mail) {
    state.withLock { $0.mail.append(mail) }
    mailed.store(true, ordering: .sequentiallyConsistent)
  }

  /// Whether there is mail.
  var hasMail: Bool { mailed.load(ordering: .sequentiallyConsistent) }

  func takeAll() -> [Mail] {
    guard mailed.exchange(false, ordering: .sequentiallyConsistent) else { return [] }
    return state.withLock { state in
      defer { state.mail.removeAll() }
      return state.mail
    }
  }
}

extension Moment {
  static func now() -> Moment { Moment(now: MonotonicClock.now(), wall: .now()) }
}
