import Dispatch
import RegistrationAPI
import RegistrationCore
import Synchronization

/// What the core is still to be told, in order. Whoever posts goes on at once.
final class Inbox: Sendable {
  struct Mail: Sendable {
    enum Content: Sendable {
      case event(Event)
      /// A worker is back.
      case exchange(Exchange, order: Int, worker: Int)
    }

    var content: Content
    /// When it was posted.
    var moment: Moment
  }

  private struct State {
    var mail: [Mail] = []
    let doorbell: any DispatchSourceUserDataAdd
  }

  private let state: Mutex<State>

  /// - Parameter serial: Where `open`'s handler is called.
  init(serial: DispatchQueue) {
    state = Mutex(Self.make(serial))
  }

  private static func make(_ serial: DispatchQueue) -> sending State {
    State(doorbell: DispatchSource.makeUserDataAddSource(queue: serial))
  }

  /// From now on `handler` is called, once for any number of events that came meanwhile. To be called once.
  func open(_ handler: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.doorbell.setEventHandler { @Sendable in handler() }
      state.doorbell.activate()
    }
  }

  func post(_ event: Event) { post(.event(event)) }

  func post(_ content: Mail.Content) {
    state.withLock { state in
      state.mail.append(Mail(content: content, moment: .now()))
      state.doorbell.add(data: 1)
    }
  }

  func takeAll() -> [Mail] {
    state.withLock { state in
      defer { state.mail.removeAll() }
      return state.mail
    }
  }
}

extension Moment {
  static func now() -> Moment { Moment(now: MonotonicClock.now(), wall: .now()) }
}
