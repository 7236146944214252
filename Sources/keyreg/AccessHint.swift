import Glibc
import Registration

/// Hints for a user who cannot reach the daemon: the group to join, or how to start it.
enum AccessHint {
  /// For a path that the system denied. Nil when no group would help.
  static func joining(for path: String) -> String? {
    var folder = path
    var status = stat()
    // If a folder on the way is closed, only that folder itself is known.
    while stat(folder, &status) != 0 {
      guard let slash = folder.lastIndex(of: "/"), folder != "/" else { return nil }
      folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
    }
    guard geteuid() != 0, status.st_gid != 0, status.st_mode & 0o070 != 0, !isMember(of: status.st_gid),
      let group = Account.name(ofGroup: status.st_gid), let user = Account.name(ofUser: geteuid())
    else { return nil }
    return "join the group \(group) (sudo usermod -aG \(group) \(user)) and log in again, or use sudo"
  }

  private static func isMember(of group: gid_t) -> Bool {
    var groups = [gid_t](repeating: 0, count: Int(max(0, getgroups(0, nil))))
    return getegid() == group || getgroups(Int32(groups.count), &groups) > 0 && groups.contains(group)
  }

  /// How to start the daemon that has this control socket. The sockets of the service are in /run.
  static func starting(socket: String) -> String {
    let parts = socket.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0].isEmpty, parts[1] == "run", parts[3] == "control.sock" else {
      return "start it (keyreg run), or name its socket with --socket"
    }
    let unit = parts[2].hasPrefix("keyreg-") ? "keyreg@" + parts[2].dropFirst(7) : "keyreg"
    return """
      start it (sudo systemctl start \(unit)), or read why it ended (sudo journalctl -u \(unit)); or name another socket \
      with --socket
      """
  }
}
