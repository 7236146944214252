// What a process that holds secrets asks of the kernel before it reads them. systemd does the same for the service, but
// keyreg also runs from a shell, in a container, under another supervisor.

import CPrctl
import Glibc

/// The process-wide settings of the daemon.
package enum ProcessHardening {
  /// Call this once, before secrets are read and before threads are started:
  /// - no core dump, neither by the limit (which a pipe in `core_pattern` ignores) nor by the kernel's own flag, which
  ///   also keeps other processes of the same user from attaching or reading `/proc/PID/environ` and `mem`;
  /// - a crash ends the process at once: the backtrace of Swift's runtime prints registers and the memory that they
  ///   point to, and keeps a process alive that was sent SIGABRT, as a watchdog does;
  /// - SIGPIPE, SIGIO and SIGXFSZ are ignored: a peer that hangs up, or a file that reaches the limit of its size, is an
  ///   error to return, not a reason to die;
  /// - `umask`, so that a file is private unless its creator says otherwise.
  ///
  /// Throws when the kernel refuses one of the first two: then secrets must not be read.
  package static func apply(umask mask: UInt32 = 0o027) throws(HardeningError) {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
      throw HardeningError(setting: "RLIMIT_CORE", code: errno)
    }
    guard cprctl_set_dumpable(0) == 0 else { throw HardeningError(setting: "PR_SET_DUMPABLE", code: errno) }
    for crash in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP] { signal(crash, SIG_DFL) }
    signal(SIGPIPE, SIG_IGN)
    signal(SIGIO, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    umask(mask)
  }
}

/// A protection that the kernel refused to set.
package struct HardeningError: Error, Hashable, CustomStringConvertible {
  package let setting: String
  /// The `errno` of the call.
  package let code: Int32

  package var description: String { "cannot set \(setting): \(String(cString: strerror(code)))" }
}
