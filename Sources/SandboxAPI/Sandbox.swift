import Glibc
import HTTPServer
import HummingbirdCore
import Logging
import NIOCore
package import Registration
import Synchronization

/// A local stand-in for the registration API, like the real one in its answers, its limits and its failures.
package final class Sandbox: Sendable {
  private let configuration: SandboxConfiguration
  private let shared: Shared
  private let listener: HTTPListener

  /// Opens the journal, if there is one. Throws `SystemError` when that fails.
  ///
  /// - Parameter report: Gets each reason why the journal cannot be written, once.
  package init(
    _ configuration: SandboxConfiguration, report: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    self.configuration = configuration
    let shared = Shared(
      StandIn(configuration, startedAt: .now()), try configuration.journal.map(RequestJournal.init(path:)),
      latency: configuration.latency, report: report)
    self.shared = shared
    listener = HTTPListener(
      logger: Logger(label: "keyreg.sandbox", factory: { _ in SwiftLogNoOpLogHandler() }),
      respond: { request, writer, channel in try await shared.respond(request, writer, channel) })
  }

  /// Listens, and returns the port. Synchronous code may call this anywhere. Throws `SystemError` when the address cannot
  /// be used.
  package func start() throws -> Int {
    let place = "cannot listen on \(configuration.host):\(configuration.port)"
    do {
      return try listener.start(on: .hostname(configuration.host, port: configuration.port))?.port ?? configuration.port
    } catch let error as IOError {
      throw SystemError(place, SystemFault(code: error.errnoCode))
    } catch {
      throw SystemError(place, SystemFault(code: EADDRNOTAVAIL))
    }
  }

  /// Ends all connections, whatever they wait for, and frees the port.
  package func stop() {
    listener.stop()
  }

  /// The keys that are registered now, in the order of their first registration.
  package var registeredKeys: [AppKeyID] { shared.standIn.withLock { $0.keys.ids } }

  package var registeredCount: Int { shared.standIn.withLock { $0.keys.count } }

  /// Requests to the API's paths so far, whatever their result.
  package var requestCount: Int { shared.standIn.withLock { $0.requestCount } }

  /// Changes which credentials are accepted, from the next request on. Nil: any two that are not empty.
  package func accept(_ credentials: SandboxConfiguration.Credentials?) {
    shared.standIn.withLock { $0.credentials = credentials }
  }

  /// Changes what goes wrong, from the next request on. Spans still count from the start.
  package func impose(_ faults: FaultPlan) {
    shared.standIn.withLock { $0.faults = faults }
  }
}

/// The state that the connections of one sandbox share.
private final class Shared: Sendable {
  let standIn: Mutex<StandIn>
  private let journal: RequestJournal?
  private let latency: Duration
  private let report: @Sendable (String) -> Void
  private let reported = Mutex<Set<String>>([])

  init(
    _ standIn: StandIn, _ journal: RequestJournal?, latency: Duration, report: @escaping @Sendable (String) -> Void
  ) {
    self.standIn = Mutex(standIn)
    self.journal = journal
    self.latency = latency
    self.report = report
  }

  func respond(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
    let arrival = standIn.withLock { $0.arrive(request.head, at: .now()) }
    try await pass(latency / 2 + arrival.decision.delay, on: channel)
    let reply = standIn.withLock { $0.answer(arrival, at: .now()) }
    try await pass(latency / 2, on: channel)
    // Written before the answer is sent, so that the journal contains everything a client has seen. If it cannot be
    // written, the connection closes without an answer.
    do {
      try journal?.append(
        RequestJournal.Line(
          time: .now(), method: request.head.method.rawValue, path: request.head.path ?? "",
          status: reply.visibleStatus, note: reply.note))
    } catch {
      let text = "\(error)"
      if reported.withLock({ $0.insert(text).inserted }) { report(text) }
      throw error
    }
    try await reply.send(writer, to: request.method, channel)
  }

  private func pass(_ duration: Duration, on channel: any Channel) async throws {
    guard duration > .zero else { return }
    try await channel.eventLoop.sleep(for: duration)
  }
}
