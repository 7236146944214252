import Glibc

/// An open file descriptor that is closed with its last owner.
final class Descriptor: Sendable {
  let number: Int32

  init(owning number: Int32) {
    self.number = number
  }

  deinit {
    close(number)
  }
}

/// Linux values that the C library shows only to programs that ask for GNU extensions, from asm-generic/fcntl.h.
enum LinuxFlag {
  /// Names a file without opening it.
  static let openPath: Int32 = 0o10_000_000
  static let setLease: Int32 = 1024
  static let setLeaseSignal: Int32 = 10
}
