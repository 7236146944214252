import Glibc

/// An open file descriptor, closed when its last owner goes.
final class Descriptor: Sendable {
  let number: Int32

  init(owning number: Int32) {
    self.number = number
  }

  deinit {
    close(number)
  }
}

/// Constants that the C library shows only to programs that ask for GNU extensions, from asm-generic/fcntl.h.
enum LinuxFlag {
  /// Refers to a file without opening it.
  static let openPath: Int32 = 0o10_000_000
}
