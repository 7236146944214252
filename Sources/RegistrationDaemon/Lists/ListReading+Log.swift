import Logging
import Spool

extension ListReading.Ending {
  /// Logs what an operator would want to know.
  func tell(_ log: Logger) {
    switch self {
    case .imported(let receipt, let cutShort):
      log.notice(
        "list imported",
        metadata: [
          "list": "\(receipt.list)", "accepted": "\(receipt.keys.accepted)", "known": "\(receipt.keys.alreadyKnown)",
          "duplicate": "\(receipt.keys.duplicateInList)", "invalid": "\(receipt.keys.invalid)",
        ])
      if let cutShort {
        log.warning(
          "part of the list was not read",
          metadata: ["list": "\(receipt.list)", "line": "\(cutShort.line)", "detail": "\(cutShort.description)"])
      }
    case .rejected(let name, let rejection):
      log.warning(
        "list rejected", metadata: ["list": "\(name)", "reason": "\(rejection.what)", "line": "\(rejection.line ?? 0)"])
    case .unchanged, .gone, .notStill, .interrupted: break
    }
  }
}
