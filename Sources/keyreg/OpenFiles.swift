import Glibc

/// How many files and connections this process may have open at once.
enum OpenFiles {
  /// In addition to one connection per worker, the maximum that a daemon usually needs for its queue, its spool and its
  /// control socket.
  static let ofDaemon = 112

  /// Raises the limit to `count` where that is allowed.
  ///
  /// Throws a `Failure` where it is not: what happens without a free descriptor is decided by libraries, and some of
  /// them end the process.
  static func require(_ count: Int) throws {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(count) else { return }
    let present = limit.rlim_cur
    limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
    guard limit.rlim_cur == rlim_t(count), setrlimit(resource, &limit) == 0 else {
      throw Failure(
        .configuration, "at most \(present) files may be open at once; \(count) are needed",
        hint: "raise the limit: ulimit -n 1024 in a shell, LimitNOFILE=1024 in a unit")
    }
  }
}
