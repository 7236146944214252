import RegistrationQueue
import Spool

/// Why a list cannot be read at the moment.
struct ImportFault: Hashable, Sendable {
  var text: String
  var hint: String?
  /// The same will succeed once the disk works.
  var isDisk: Bool
  /// The list has not been filed yet.
  var isInReading: Bool

  init(_ error: any Error, at list: ReadyList) {
    switch error {
    case let error as QueueError: (text, hint, isDisk) = ("\(error)", error.hint, error.kind == .disk)
    case let error as SpoolError: (text, hint, isDisk) = (error.message, error.hint, error.isDiskFault)
    default: (text, hint, isDisk) = ("\(error)", nil, false)
    }
    isInReading = list.place == .reading
  }
}
