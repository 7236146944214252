// A folder for one test in the system's temporary folder, deleted after the test.

import FoundationEssentials
package import Glibc

package final class TemporaryFolder {
  package let path: String

  package init() throws {
    var template = Array("/tmp/keyreg-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError(errno) }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  deinit {
    // Nothing to be done about a folder that cannot be removed: the system cleans up its temporary files.
    try? FileManager.default.removeItem(atPath: path)
  }

  package func path(_ name: String) -> String { path + "/" + name }

  /// Writes a file and gives it exactly this mode. Returns its path.
  @discardableResult
  package func write(_ name: String, _ content: some Sequence<UInt8>, mode: mode_t = 0o600) throws -> String {
    let path = path(name)
    try Data(content).write(to: URL(filePath: path))
    guard chmod(path, mode) == 0 else { throw SystemError(errno) }
    return path
  }
}

/// The `errno` of a call that failed.
package struct SystemError: Error {
  package let code: Int32

  package init(_ code: Int32) { self.code = code }
}
