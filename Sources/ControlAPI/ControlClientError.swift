/// Why a command did not get its answer from the daemon.
package enum ControlClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no socket, or nobody listens on it.
  case notRunning(socket: String)
  /// The socket is there, but not for this user.
  case forbidden(String)
  /// The path cannot be used, or the system refuses for another reason.
  case unreachable(String)
  /// The daemon answered, and said no.
  case refused(status: Int, code: String, message: String, hint: String?)
  case timedOut
  /// What came back is not what the daemon sends, or stopped before its end.
  case malformed(String)

  package var description: String {
    switch self {
    case .notRunning(let socket): "the daemon is not running (nobody listens on \(socket))"
    case .forbidden(let reason), .unreachable(let reason): "the daemon cannot be reached: \(reason)"
    case .refused(_, _, let message, _): message
    case .timedOut: "the daemon did not answer in time"
    case .malformed(let reason): "the daemon's answer cannot be used: \(reason)"
    }
  }
}
