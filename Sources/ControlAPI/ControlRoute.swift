import HTTPTypes
import Registration

/// What a request asks of the daemon, read from its method, path and query.
enum ControlRoute: Equatable {
  enum Format: String, CaseIterable {
    case jsonl
    case csv
  }

  case index
  case status
  case lists(ListQuery)
  case list(String)
  case outcomes(OutcomeQuery, Format)
  case key(AppKeyID)
  case events
  case backup
  case metrics
  case health
  case submit(name: String?, force: Bool)
  case cancel(String)
  /// A reason may come in the query or in the body.
  case pause(reason: String?)
  case resume
  /// As far as the query says; the body may say more.
  case retry(RetryRequest)
  case reload

  /// Throws `ControlError`: `.notFound` for another path, `.methodNotAllowed`, `.badRequest` for a parameter that is not
  /// what it should be.
  init(_ request: HTTPRequest) throws {
    let target = (request.path ?? "").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = target.first ?? ""
    let query = target.count > 1 ? target[1] : ""
    guard path.first == "/" else { throw ControlError.notFound("there is nothing at this address") }
    let segments = try path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
      .map { try PercentEncoding.decode($0) }
    guard segments.count <= 4 else { throw ControlError.notFound("there is nothing at this address") }
    let part = { (index: Int) in index < segments.count ? segments[index] : nil }
    switch (part(0), part(1), part(2), part(3)) {
    case ("", nil, nil, nil):
      self = try Self.read(.index, request.method)
    case ("metrics", nil, nil, nil):
      self = try Self.read(.metrics, request.method)
    case ("healthz", nil, nil, nil):
      self = try Self.read(.health, request.method)
    case ("v1", "status", nil, nil):
      self = try Self.read(.status, request.method)
    case ("v1", "events", nil, nil):
      self = try Self.stream(.events, request.method)
    case ("v1", "backup", nil, nil):
      self = try Self.stream(.backup, request.method)
    case ("v1", "outcomes", nil, nil):
      self = try Self.stream(Self.outcomes(query), request.method)
    case ("v1", "lists", nil, nil) where request.method == .post:
      let parameters = try QueryParameters(query, allowed: ["name", "force"])
      self = .submit(name: try parameters.single("name"), force: try parameters.flag("force"))
    case ("v1", "lists", nil, nil):
      self = try Self.read(Self.lists(query), request.method, allowed: "GET, HEAD, POST")
    case ("v1", "lists", let name?, nil) where !name.isEmpty:
      self = try Self.read(.list(name), request.method)
    case ("v1", "keys", let text?, nil):
      self = try Self.read(.key(Self.key(text)), request.method)
    case ("v1", "lists", let name?, "cancel") where !name.isEmpty:
      guard request.method == .post else { throw Self.notAllowed("POST") }
      self = .cancel(name)
    case ("v1", let name?, nil, nil) where ["pause", "resume", "retry", "reload"].contains(name):
      guard request.method == .post else { throw Self.notAllowed("POST") }
      self = try Self.command(name, query)
    default:
      throw ControlError.notFound("there is nothing at this address")
    }
  }

  /// `route`, once the method is one that reads.
  private static func read(
    _ route: @autoclosure () throws -> ControlRoute, _ method: HTTPRequest.Method, allowed: String = "GET, HEAD"
  ) throws -> ControlRoute {
    guard method == .get || method == .head else { throw notAllowed(allowed) }
    return try route()
  }

  /// As `read`, for answers in chunks: the server cannot send their head alone without a last chunk after it.
  private static func stream(
    _ route: @autoclosure () throws -> ControlRoute, _ method: HTTPRequest.Method
  ) throws -> ControlRoute {
    guard method == .get else { throw notAllowed("GET") }
    return try route()
  }

  private static func lists(_ query: Substring) throws -> ControlRoute {
    let parameters = try QueryParameters(query, allowed: ["active", "after", "limit"])
    return .lists(
      ListQuery(
        isActive: try parameters.single("active") == nil ? nil : try parameters.flag("active"),
        after: try parameters.number("after", in: 0...Int64.max) ?? 0,
        limit: try parameters.number("limit", in: 1...Int64(ListQuery.longestPage)).map(Int.init)
          ?? ListQuery.longestPage))
  }

  private static func outcomes(_ query: Substring) throws -> ControlRoute {
    let parameters = try QueryParameters(query, allowed: ["list", "state", "format"])
    let list = try parameters.single("list")
    let state = try parameters.word("state", of: KeyState.self) { $0.name }
    let format = try parameters.word("format", of: Format.self) { $0.rawValue }
    return .outcomes(OutcomeQuery(list: list, state: state), format ?? .jsonl)
  }

  private static func command(_ name: String, _ query: Substring) throws -> ControlRoute {
    switch name {
    case "pause":
      return .pause(reason: try QueryParameters(query, allowed: ["reason"]).single("reason"))
    case "resume": return .resume
    case "retry":
      let parameters = try QueryParameters(query, allowed: ["list", "error", "key"])
      return .retry(
        RetryRequest(
          list: try parameters.single("list"), error: try parameters.single("error"),
          keys: try parameters.all("key").map(key)))
    default: return .reload
    }
  }

  private static func key(_ text: String) throws -> AppKeyID {
    guard let id = AppKeyID(text) else {
      throw ControlError(.badRequest, "“\(PrintableText.escape(text))” is not a key id (a UUID)")
    }
    return id
  }

  private static func notAllowed(_ methods: String) -> ControlError {
    ControlError(.methodNotAllowed, "this address takes \(methods) only", allowed: methods)
  }
}
