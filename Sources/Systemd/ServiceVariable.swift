// systemd passes a service addresses and limits in environment variables that are meant for that one process. They are
// removed when read: a child that inherited NOTIFY_SOCKET could speak in the daemon's name.

import Glibc

enum ServiceVariable {
  /// The value of the environment variable `name`, which is then unset. Nil when it was not set, or empty.
  ///
  /// `unsetenv` is not safe while other threads read the environment: call this before any is started.
  static func take(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    unsetenv(name)
    return text.isEmpty ? nil : text
  }
}
