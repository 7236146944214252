import ControlAPI
import Registration
import Synchronization

/// Since when the daemon has been in its state.
///
/// The pool notices when its phases begin. What does not come from the pool, such as a list that is being read, is noticed
/// when somebody asks; housekeeping does so every two seconds.
final class StateClock: Sendable {
  private struct Look {
    var state: StatusDocument.State
    var since: Timestamp
    var at: Timestamp
  }

  private let last = Mutex<Look?>(nil)

  /// - Parameters:
  ///   - began: When `state` began, if that is known.
  ///   - now: The present.
  func since(_ state: StatusDocument.State, began: Timestamp?, now: Timestamp) -> Timestamp {
    last.withLock { last in
      let since: Timestamp
      if let last, last.state == state {
        // Between the two looks it may have ended and begun again.
        since = max(last.since, began ?? last.since)
      } else if let began {
        // The last look still saw another state.
        since = max(began, last?.at ?? began)
      } else {
        since = now
      }
      // The wall clock may have been set back.
      let look = Look(state: state, since: min(since, now), at: now)
      last = look
      return look.since
    }
  }
}
