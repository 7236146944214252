import HTTPTypes
import Registration

/// The operation that a request asks for, read from its method, path and query.
enum ControlRoute: Equatable {
  enum Format: String, CaseIterable {
    case jsonl
    case csv
  }

  case index
  case listPage(String)
  case asset(PageAsset)
  case status
  case lists(ListQuery)
  case list(String)
  case outcomes(OutcomeQuery, Format)
  case key(AppKeyID)
  case history(since: Timestamp?)
  case limits
  case openAPI
  case events
  case backup
  case metrics
  case health
  case submit(name: String?, force: Bool, terms: ListTerms)
  /// Like `submit`, but nothing is changed.
  case preview(name: String?, force: Bool)
  case cancel(String)
  case set(String, ListTermsChange)
  /// A reason may come in the query or in the body.
  case pause(reason: String?)
  case resume
  /// From the query; the body may add to it.
  case retry(RetryRequest)
  case reload
  case check

  /// Throws `ControlError`: `.notFound` for another path, `.methodNotAllowed`, `.badRequest` for an invalid parameter.
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
    case ("lists", let name?, nil, nil) where !name.isEmpty:
      self = try Self.read(.listPage(name), request.method)
    case ("assets", let name?, nil, nil):
      guard let asset = PageAsset(rawValue: name) else {
        throw ControlError.notFound("there is nothing at this address")
      }
      self = try Self.read(.asset(asset), request.method)
    case ("metrics", nil, nil, nil):
      self = try Self.read(.metrics, request.method)
    case ("healthz", nil, nil, nil):
      self = try Self.read(.health, request.method)
    case ("v1", "status", nil, nil):
      self = try Self.read(.status, request.method)
    case ("v1", "history", nil, nil):
      self = try Self.read(Self.history(query), request.method)
    case ("v1", "limits", nil, nil):
      self = try Self.read(.limits, request.method)
    case ("v1", "openapi.json", nil, nil):
      self = try Self.read(.openAPI, request.method)
    case ("v1", "events", nil, nil):
      self = try Self.stream(.events, request.method)
    case ("v1", "backup", nil, nil):
      self = try Self.stream(.backup, request.method)
    case ("v1", "outcomes", nil, nil):
      self = try Self.stream(Self.outcomes(query), request.method)
    case ("v1", "lists", nil, nil) where request.method == .post:
      self = try Self.submit(query)
    case ("v1", "lists", nil, nil):
      self = try Self.read(Self.lists(query), request.method, allowed: "GET, HEAD, POST")
    case ("v1", "lists", let name?, nil) where !name.isEmpty:
      self = try Self.read(.list(name), request.method)
    case ("v1", "keys", let text?, nil):
      self = try Self.read(.key(Self.key(text)), request.method)
    case ("v1", "lists", let name?, "cancel") where !name.isEmpty:
      guard request.method == .post else { throw Self.notAllowed("POST") }
      self = .cancel(name)
    case ("v1", "lists", let name?, "set") where !name.isEmpty:
      guard request.method == .post else { throw Self.notAllowed("POST") }
      self = .set(name, try Self.change(QueryParameters(query, allowed: ["priority", "stop_after"])))
    case ("v1", let name?, nil, nil) where ["pause", "resume", "retry", "reload", "check"].contains(name):
      guard request.method == .post else { throw Self.notAllowed("POST") }
      self = try Self.command(name, query)
    default:
      throw ControlError.notFound("there is nothing at this address")
    }
    if !hasParameters { _ = try QueryParameters(query, allowed: []) }
  }

  /// Whether its query was read.
  private var hasParameters: Bool {
    switch self {
    case .lists, .outcomes, .history, .submit, .preview, .set, .pause, .retry: true
    case .index, .listPage, .asset, .status, .list, .key, .limits, .openAPI, .events, .backup, .metrics, .health,
      .cancel, .resume, .reload, .check:
      false
    }
  }

  /// `route`, if the method only reads.
  private static func read(
    _ route: @autoclosure () throws -> ControlRoute, _ method: HTTPRequest.Method, allowed: String = "GET, HEAD"
  ) throws -> ControlRoute {
    guard method == .get || method == .head else { throw notAllowed(allowed) }
    return try route()
  }

  /// Like `read`, for chunked answers: the server cannot send only their head without a last chunk after it.
  private static func stream(
    _ route: @autoclosure () throws -> ControlRoute, _ method: HTTPRequest.Method
  ) throws -> ControlRoute {
    guard method == .get else { throw notAllowed("GET") }
    return try route()
  }

  private static func submit(_ query: Substring) throws -> ControlRoute {
    let parameters = try QueryParameters(query, allowed: ["name", "force", "dry_run", "priority", "stop_after"])
    let change = try change(parameters)
    var terms = ListTerms(priority: change.priority ?? ListTerms.usualPriority)
    if case .after(let share) = change.stop { terms.stopAfter = share }
    let (name, force) = (try parameters.single("name"), try parameters.flag("force"))
    return try parameters.flag("dry_run")
      ? .preview(name: name, force: force) : .submit(name: name, force: force, terms: terms)
  }

  private static func change(_ parameters: QueryParameters) throws -> ListTermsChange {
    let range = ListTerms.priorities
    let priority = try parameters.number("priority", in: Int64(range.lowerBound)...Int64(range.upperBound))
    let stop = try parameters.single("stop_after").map { text in
      guard let stop = ListTermsChange.Stop(text) else {
        throw ControlError(.badRequest, "“stop_after” must be a share such as 5% (encoded 5%25), or never")
      }
      return stop
    }
    return ListTermsChange(priority: priority.map(Int.init), stop: stop)
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
    let parameters = try QueryParameters(
      query, allowed: ["list", "state", "error", "since", "after", "until", "limit", "format"])
    let list = try parameters.single("list")
    let since = try time(parameters)
    let state = try parameters.word("state", of: KeyState.self) { $0.name }
    let format = try parameters.word("format", of: Format.self) { $0.rawValue }
    let wanted = OutcomeQuery(
      list: list, state: state, error: try parameters.single("error"), since: since,
      after: try parameters.number("after", in: 0...Int64.max),
      until: try parameters.number("until", in: 0...Int64.max),
      limit: try parameters.number("limit", in: 1...Int64.max))
    return .outcomes(wanted, format ?? .jsonl)
  }

  private static func history(_ query: Substring) throws -> ControlRoute {
    .history(since: try time(try QueryParameters(query, allowed: ["since"])))
  }

  private static func time(_ parameters: QueryParameters) throws -> Timestamp? {
    try parameters.single("since").map { text in
      guard let time = OutcomeQuery.time(text) else {
        throw ControlError(.badRequest, "“since” must be a time like 2026-11-26T11:44:20Z")
      }
      return time
    }
  }

  private static func command(_ name: String, _ query: Substring) throws -> ControlRoute {
    switch name {
    case "pause":
      return .pause(reason: try QueryParameters(query, allowed: ["reason"]).single("reason"))
    case "resume": return .resume
    case "retry":
      let parameters = try QueryParameters(query, allowed: ["list", "error", "key"])
      let request = RetryRequest(
        list: try parameters.single("list") ?? parameters.all("list").first,
        error: try parameters.single("error") ?? parameters.all("error").first,
        keys: try parameters.all("key").map(key))
      try request.refuseEmpty()
      return .retry(request)
    case "reload": return .reload
    default: return .check
    }
  }

  private static func key(_ text: String) throws -> AppKeyID {
    guard let id = AppKeyID(text) else {
      throw ControlError(.badRequest, "“\(PrintableText.escape(text))” is not a key id (a UUID)")
    }
    return id
  }

  private static func notAllowed(_ methods: String) -> ControlError {
    ControlError(.methodNotAllowed, "this path accepts only \(methods)", allowed: methods)
  }
}
