import Registration
import RegistrationCore
import RegistrationQueue

/// The delay that a failing server asked for, as the queue keeps it across a restart.
private struct KeptWait: Codable {
  /// On the clock that cannot be set.
  var until: Timestamp
  var fault: RequestFault
  var since: Timestamp
  /// Missing where an earlier version wrote it.
  var registrar: Int64?
}

extension RegistrationQueue {
  private static let name = "asked_to_wait"

  func keep(_ asked: AskedToWait?) throws {
    let kept = asked.map {
      KeptWait(until: sureTime.adding(seconds: $0.seconds), fault: $0.fault, since: $0.since, registrar: $0.registrar)
    }
    try remember(kept, named: Self.name)
  }

  /// What an earlier run was asked for and must still be respected.
  func keptWait(ignored: (String) -> Void) throws -> AskedToWait? {
    guard let kept = try recall(KeptWait.self, named: Self.name, ignored: ignored) else { return nil }
    let seconds = kept.until.seconds(since: sureTime)
    return seconds > 0
      ? AskedToWait(seconds: seconds, fault: kept.fault, since: kept.since, registrar: kept.registrar)
      : nil
  }
}
