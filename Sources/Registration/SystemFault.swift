import Glibc

/// The `errno` value of a system call that failed.
package struct SystemFault: Error, Hashable, Sendable {
  package let code: Int32

  package init(code: Int32) {
    self.code = code
  }

  /// As `strerror` puts it. Unlike `strerror`, it shares no buffer between threads.
  package var text: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      buffer.initialize(repeating: 0)
      guard let text = buffer.baseAddress, strerror_r(code, text, buffer.count) == 0 else { return "error \(code)" }
      return String(cString: text)
    }
  }
}
