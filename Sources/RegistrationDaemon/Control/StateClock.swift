import ControlAPI
import Registration
import Synchronization

/// Since when the daemon has been in its state. A change is noticed when somebody asks; housekeeping does so every two
/// seconds.
final class StateClock: Sendable {
  private let last = Mutex<(state: StatusDocument.State, since: Timestamp)?>(nil)

  /// - Parameter time: When `state` began, if it is new.
  func since(_ state: StatusDocument.State, _ time: Timestamp) -> Timestamp {
    last.withLock { last in
      if let last, last.state == state { return last.since }
      last = (state, time)
      return time
    }
  }
}
