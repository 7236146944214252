import Registration
import RegistrationCore
import RegistrationQueue

/// What a server in trouble has asked for, as the queue keeps it over a restart.
private struct KeptWait: Codable {
  /// On the clock that nobody can set.
  var until: Timestamp
  var fault: Fault
  var since: Timestamp
}

extension RegistrationQueue {
  private static let name = "asked_to_wait"

  func keep(_ asked: AskedToWait?) throws {
    let kept = asked.map {
      KeptWait(until: sureTime.adding(seconds: $0.seconds), fault: $0.fault, since: $0.since)
    }
    try remember(kept, named: Self.name)
  }

  /// What an earlier run was asked and still has to keep to.
  func keptWait(ignored: (String) -> Void) throws -> AskedToWait? {
    guard let kept = try recall(KeptWait.self, named: Self.name, ignored: ignored) else { return nil }
    let seconds = kept.until.seconds(since: sureTime)
    return seconds > 0 ? AskedToWait(seconds: seconds, fault: kept.fault, since: kept.since) : nil
  }
}
