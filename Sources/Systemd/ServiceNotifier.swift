// Reports to the service manager: that the daemon is ready, what it is doing, that it is alive (sd_notify(3)). This
// must never delay or fail the daemon, so every message is sent without waiting and nothing is thrown.

import Glibc
import Registration
import Synchronization

/// The daemon's messages to systemd. Without a listening supervisor it sends nothing, and costs nothing.
///
/// Messages keep their order. A message for which the socket has no room is dropped, except for the latest change of
/// life cycle (`READY=1` and the like), which is sent before the next message: without it systemd would kill a healthy
/// service.
package final class ServiceNotifier: Sendable {
  private let socket: NotifySocket?
  /// The last change of life cycle, until systemd has it. Its lock also keeps the order.
  private let untold = Mutex<String?>(nil)

  /// `socketName` as in `$NOTIFY_SOCKET`: an absolute path, or `@` and an abstract name. With nil, or an unknown form,
  /// the notifier sends nothing.
  package init(socketName: String?) {
    socket = socketName.flatMap(NotifySocket.init(name:))
  }

  /// The notifier for `$NOTIFY_SOCKET`. The variable is unset, so that no child can speak for the daemon; call this
  /// before other threads read the environment.
  package static func takingEnvironment() -> ServiceNotifier {
    ServiceNotifier(socketName: ServiceVariable.take("NOTIFY_SOCKET"))
  }

  /// The start, or a reload, is complete. `status` as in `status(_:)`.
  package func ready(status: String? = nil) {
    say(nil, changing: "READY=1" + (status.map { "\n" + Self.assignment(ofStatus: $0) } ?? ""))
  }

  /// One line of free text that `systemctl status` shows. Control characters are escaped, 300 characters are kept.
  package func status(_ text: String) {
    say(Self.assignment(ofStatus: text))
  }

  /// The configuration is being read again; `ready(status:)` must follow.
  package func reloading() {
    // The time is what Type=notify-reload of systemd 253 asks for; 252 ignores it.
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let microseconds = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    say(nil, changing: "RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
  }

  /// The daemon begins to stop.
  package func stopping() {
    say(nil, changing: "STOPPING=1")
  }

  /// The daemon is alive. Call this at least once in each `WatchdogInterval`, and only when it is true.
  package func watchdog() {
    say("WATCHDOG=1")
  }

  /// Asks for at least `seconds` more, from now, before a start, stop or watchdog limit counts as exceeded. Fractions
  /// are kept to the microsecond; nothing is sent unless it is above zero, and at most a year is asked for.
  package func extendTimeout(seconds: Double) {
    guard seconds > 0 else { return }
    say("EXTEND_TIMEOUT_USEC=\(Int64(min(seconds, 366 * 86_400) * 1_000_000))")
  }

  private func say(_ message: String?, changing lifeCycle: String? = nil) {
    guard let socket else { return }
    untold.withLock { untold in
      if let lifeCycle { untold = lifeCycle }
      if socket.send([untold, message].compactMap(\.self).joined(separator: "\n")) { untold = nil }
    }
  }

  private static func assignment(ofStatus text: String) -> String {
    "STATUS=" + PrintableText.escape(text, limit: 300)
  }
}
