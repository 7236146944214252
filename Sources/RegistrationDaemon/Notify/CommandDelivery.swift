import Dispatch
import Foundation
import Glibc

/// Runs `notify.command` with an announcement on its standard input.
struct CommandDelivery {
  /// Seconds after which the command is killed.
  private static let patience = 30.0

  let path: String
  let instance: String?
  let socket: String

  /// Blocks until the command has ended. Returns what went wrong, nil for nothing.
  func deliver(_ text: String) -> String? {
    let process = Process()
    process.executableURL = URL(filePath: path)
    // Nothing of the daemon's own: its environment may hold credentials.
    process.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "KEYREG_SOCKET": socket]
    if let instance { process.environment?["KEYREG_INSTANCE"] = instance }
    process.currentDirectoryURL = URL(filePath: "/")
    let input = Pipe()
    process.standardInput = input
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { @Sendable _ in ended.signal() }
    do {
      try process.run()
    } catch {
      return "\(path) cannot be run: \(error.localizedDescription)"
    }
    // It fits into the pipe. A command need not read it.
    try? input.fileHandleForWriting.write(contentsOf: Data((text + "\n").utf8))
    try? input.fileHandleForWriting.close()
    if ended.wait(timeout: .now() + Self.patience) == .timedOut {
      kill(process.processIdentifier, SIGKILL)
      ended.wait()
      return "\(path) was killed: it took longer than \(Int(Self.patience)) s"
    }
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      return "\(path) ended with \(process.terminationReason == .exit ? "code" : "signal") \(process.terminationStatus)"
    }
    return nil
  }
}
