import Glibc

/// The words for an `errno` value. `strerror` shares one buffer between threads; this does not.
enum SystemFault {
  static func text(_ code: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      buffer.initialize(repeating: 0)
      guard let text = buffer.baseAddress, strerror_r(code, text, buffer.count) == 0 else { return "error \(code)" }
      return String(cString: text)
    }
  }
}
