package import Glibc

/// The names of this machine's users and groups.
package enum Account {
  /// Nil when the number has no name.
  package static func name(ofUser id: uid_t) -> String? {
    var entry = passwd()
    return name { buffer, size in
      var found: UnsafeMutablePointer<passwd>?
      guard getpwuid_r(id, &entry, buffer, size, &found) == 0, found != nil else { return nil }
      return entry.pw_name
    }
  }

  /// Nil when the number has no name.
  package static func name(ofGroup id: gid_t) -> String? {
    var entry = group()
    return name { buffer, size in
      var found: UnsafeMutablePointer<group>?
      guard getgrgid_r(id, &entry, buffer, size, &found) == 0, found != nil else { return nil }
      return entry.gr_name
    }
  }

  /// Bytes for one entry: a group with a few thousand members.
  private static let largestEntry = 1 << 16

  private static func name(
    _ look: (UnsafeMutablePointer<CChar>, Int) -> UnsafeMutablePointer<CChar>?
  ) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: largestEntry) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      return look(start, buffer.count).map { String(cString: $0) }
    }
  }
}
