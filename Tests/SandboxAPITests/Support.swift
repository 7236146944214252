import FoundationEssentials
import HTTPTypes
import Registration
import SandboxAPI
import Testing

let collection = "/api/v2/actions/app_key_registrations"
let day = Int64(86_400_000)

func id(_ number: UInt64) -> AppKeyID { AppKeyID(high: 0xb7fe_ea52_994e_4714, low: 0xa100_0000_0000_0000 + number) }

func path(_ number: UInt64) -> String { "\(collection)/\(id(number))" }

func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: 20_000 * day + milliseconds) }

/// Starts a sandbox, gives it to `body`, and stops it whatever happens.
func withSandbox(
  _ limit: String = "1000000/24h", _ change: (inout SandboxConfiguration) throws -> Void = { _ in },
  body: (Sandbox, Int) throws -> Void
) throws {
  var configuration = SandboxConfiguration(limit: try Quota(parsing: limit))
  try change(&configuration)
  let sandbox = try Sandbox(configuration)
  let port = try sandbox.start()
  defer { sandbox.stop() }
  return try body(sandbox, port)
}

/// A folder of its own for one test, removed with all it holds.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sandbox-\(UUID())").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer {
    do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
  }
  return try body(folder)
}

/// One request to a stand-in at `time`, without a socket.
extension StandIn {
  mutating func ask(
    _ method: HTTPRequest.Method, _ path: String, at time: Timestamp, keys: Bool = true, token: String? = nil
  ) -> Reply {
    var request = HTTPRequest(method: method, scheme: "http", authority: "sandbox", path: path)
    if let token, let name = HTTPField.Name("DD-APPLICATION-KEY") {
      request.headerFields[name] = token
    } else if keys {
      for name in ["DD-API-KEY", "DD-APPLICATION-KEY"] {
        if let name = HTTPField.Name(name) { request.headerFields[name] = "secret" }
      }
    }
    return answer(arrive(request, at: time), at: time)
  }
}

extension Reply {
  func field(_ name: String) -> String? { HTTPField.Name(name).flatMap { fields[$0] } }
}
