/// Why a command did not get its answer from the daemon.
package enum ControlClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no socket, or nothing listens on it.
  case notRunning(socket: String)
  /// The socket exists, but this user may not use it.
  case forbidden(socket: String, reason: String)
  /// The path cannot be used, or the system refuses for another reason.
  case unreachable(String)
  /// The daemon answered with an error.
  case refused(status: Int, code: String, message: String, hint: String?)
  case timedOut
  /// The connection ended before the answer was complete.
  case cutOff
  /// The answer is not one that the daemon sends.
  case malformed(String)

  package var description: String {
    switch self {
    case .notRunning(let socket): "the daemon is not running (nothing listens on \(socket))"
    case .forbidden(let socket, let reason): "the daemon cannot be reached: \(socket): \(reason)"
    case .unreachable(let reason): "the daemon cannot be reached: \(reason)"
    case .refused(_, _, let message, _): message
    case .timedOut: "the daemon did not answer in time"
    case .cutOff: "the daemon ended the connection before its answer was complete"
    case .malformed(let reason): "the daemon's answer cannot be read: \(reason)"
    }
  }
}
