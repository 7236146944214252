import ControlAPI
import RegistrationQueue
import Spool

extension ControlError {
  /// The answer to a client whose list cannot be used.
  init(_ rejection: Rejection) {
    self.init(.unprocessable, rejection.sentence(), hint: rejection.hint)
  }
}

extension DaemonControl {
  /// The answer to a client about a disk fault.
  static func explained(_ error: any Error) -> any Error {
    switch error {
    case let error as SpoolError:
      switch error.kind {
      case .noSpace: ControlError(.noSpace, error.message, hint: error.hint)
      case .unanswered: ControlError(.unavailable, error.message, hint: error.hint)
      case .disk, .missing, .system: ControlError(.disk, error.message, hint: error.hint)
      case .permission: ControlError(.noAccess, error.message, hint: error.hint)
      case .tooLarge: ControlError(.tooLarge, error.message, hint: error.hint)
      case .invalidName: ControlError(.badRequest, error.message, hint: error.hint)
      case .notRegular: ControlError(.conflict, error.message, hint: error.hint)
      }
    case let error as QueueError where error.kind == .disk:
      ControlError(error.isOutOfSpace ? .noSpace : .disk, error.description, hint: error.hint)
    default: error
    }
  }
}
