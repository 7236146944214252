import ControlAPI
import FoundationEssentials
import Glibc
import Logging
import Registration
import Testing

func id(_ number: Int) -> AppKeyID {
  AppKeyID(high: 0xb7fe_ea52_994e_4714, low: 0xa100_0000_0000_0000 + UInt64(number))
}

func outcomes(_ count: Int, state: KeyState = .registered, list: String = "a") -> [Outcome] {
  (0..<count).map { Outcome(id: id($0), state: state, httpStatus: 201, attempts: 1, list: list) }
}

let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// A new folder for one test, with a short path, removed with its contents.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
  var template = Array("/tmp/control-XXXXXX".utf8CString)
  try #require(mkdtemp(&template) != nil)
  let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer {
    do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
  }
  return try body(folder)
}

struct Running {
  let server: ControlServer
  let backend: MemoryBackend
  let socket: String
  let port: Int?

  var client: ControlClient { ControlClient(socket: socket) }

  func wire() throws -> WireConnection { try WireConnection(socket: socket) }
}

/// Starts a server on a socket in a temporary folder, gives it to `body`, and stops it whatever happens.
func withServer(
  _ change: (inout ControlServer.Configuration) throws -> Void = { _ in }, body: (Running) throws -> Void
) throws {
  try withTemporaryFolder { folder in
    var configuration = ControlServer.Configuration(socketPath: folder + "/control.sock")
    try change(&configuration)
    let backend = MemoryBackend()
    let server = try ControlServer(configuration, backend: backend, logger: silent)
    let port = try server.start()
    defer { server.stop() }
    return try body(Running(server: server, backend: backend, socket: configuration.socketPath, port: port))
  }
}

/// Waits for something that another thread is about to do. Fails after 20 s.
func eventually(_ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ isTrue: () throws -> Bool)
  rethrows
{
  let end = ContinuousClock.now + .seconds(20)
  while try !isTrue() {
    guard ContinuousClock.now < end else {
      Issue.record(what, sourceLocation: sourceLocation)
      return
    }
    usleep(2000)
  }
}
