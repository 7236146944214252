import HTTPServer
package import HTTPTypes
package import Registration

/// The registration API as a value: requests and times go in, answers come out. No socket, clock or lock.
package struct StandIn: Sendable {
  package private(set) var keys = RegisteredKeys()
  /// Requests to the API's paths that have arrived, whatever their result.
  package private(set) var requestCount = 0
  /// Replaces the configured credentials from the next request on.
  package var credentials: SandboxConfiguration.Credentials?
  /// Replaces the configured faults from the next request on; their time spans still count from the start.
  package var faults: FaultPlan {
    didSet { neighbour = Self.neighbour(faults, limit.quota) }
  }

  private let headers: SandboxConfiguration.Headers
  private let startedAt: Timestamp
  private var limit: ServerLimit
  private var neighbour: Neighbour?
  /// Requests so far, by key.
  private var ordinals: [AppKeyID?: Int] = [:]

  package init(_ configuration: SandboxConfiguration, startedAt: Timestamp) {
    credentials = configuration.credentials
    faults = configuration.faults
    headers = configuration.headers
    self.startedAt = startedAt
    limit = ServerLimit(configuration.limit, algorithm: configuration.algorithm)
    neighbour = Self.neighbour(configuration.faults, configuration.limit)
  }

  /// A request that was read, and its faults.
  package struct Arrival: Sendable {
    package let operation: Operation
    package let fields: HTTPFields
    package let decision: FaultPlan.Decision
  }

  /// Reads the request and draws its faults. `answer` follows once the decision's delay has passed.
  package mutating func arrive(_ request: HTTPRequest, at time: Timestamp) -> Arrival {
    let operation = Operation(request)
    var decision = FaultPlan.Decision()
    if operation != .notFound {
      requestCount += 1
      ordinals[operation.key, default: 0] += 1
      decision = faults.decide(
        key: operation.key, ordinal: ordinals[operation.key, default: 0],
        elapsed: .milliseconds(time.milliseconds - startedAt.milliseconds))
    }
    return Arrival(operation: operation, fields: request.headerFields, decision: decision)
  }

  /// Counts the request at `time`, does what it asks for, and returns what the client gets to see.
  package mutating func answer(_ arrival: Arrival, at time: Timestamp) -> Reply {
    neighbour?.spend(from: &limit, until: time)
    var reply = answerUnnoted(arrival, at: time)
    reply.fields[.date] = HTTPDate.text(milliseconds: time.milliseconds)
    if let effect = arrival.decision.effect {
      reply.note = effect.name
    } else if arrival.decision.delay > .zero {
      reply.note = Fault.Effect.slow(.zero).name
    }
    return reply
  }

  private mutating func answerUnnoted(_ arrival: Arrival, at time: Timestamp) -> Reply {
    let effect = arrival.decision.effect
    switch effect {
    case .reset: return Reply(status: 0, delivery: .reset)
    case .hang: return Reply(status: 0, delivery: .never)
    case .captive: return .captivePortal
    case .edge429: return .edgeThrottled
    case .page(let status): return .page(status)
    case .status(429):
      var reply = Reply.throttled(limit.quota)
      RateLimitFields.add(limit.refuse(at: time), to: &reply, mode: headers)
      return reply
    case .status(let status) where !RateLimitFields.countedStatuses.contains(status): return .fault(status)
    case .status, .lost, .truncated, .foreign, .slow, nil: break
    }

    // A path or method that the API does not have is refused before the limit is checked.
    switch arrival.operation {
    case .notFound: return .refusal(404, "Not found")
    case .wrongMethod(let allowed):
      var reply = Reply.refusal(405, "Method not allowed")
      reply.fields[.allow] = allowed
      return reply
    case .register, .get, .unregister, .list, .invalid: break
    }
    if let refusal = refusal(arrival.fields) { return refusal }

    let reading = limit.admit(at: time)
    var reply: Reply
    if !reading.admitted {
      reply = .throttled(limit.quota)
    } else if case .status(let status) = effect {
      reply = .fault(status)
    } else {
      reply = perform(arrival.operation)
      Self.spoil(&reply, effect, arrival.operation.key)
    }
    RateLimitFields.add(reading, to: &reply, mode: headers)
    return reply
  }

  private mutating func perform(_ operation: Operation) -> Reply {
    switch operation {
    case .register(let id):
      keys.insert(id)
      return .registration(id, status: 201)
    case .get(let id):
      return keys.contains(id) ? .registration(id, status: 200) : .unknownKey
    case .unregister(let id):
      return keys.remove(id) ? .unregistered : .unknownKey
    case .list(let page, let size):
      return .page(keys.page(page, size: size), total: keys.count)
    case .invalid(let detail):
      return .invalid(detail)
    case .wrongMethod, .notFound:
      return .refusal(404, "Not found")
    }
  }

  /// Damages an answer whose work was done.
  private static func spoil(_ reply: inout Reply, _ effect: Fault.Effect?, _ key: AppKeyID?) {
    switch effect {
    case .lost:
      reply.delivery = .none
    case .truncated:
      reply.delivery = .half
    case .foreign:
      guard let key, (200...299).contains(reply.status) else { return }
      reply = .registration(AppKeyID(high: key.high, low: ~key.low), status: reply.status)
    default:
      return
    }
  }

  // The literals are valid field names, so the initializer gives a value.
  private static let apiKey = HTTPField.Name("DD-API-KEY")!
  private static let applicationKey = HTTPField.Name("DD-APPLICATION-KEY")!

  private func refusal(_ fields: HTTPFields) -> Reply? {
    let applicationKey = fields[Self.applicationKey] ?? ""
    // The real API asks for no API key beside an access token.
    let isToken = applicationKey.hasPrefix("ddpat_") || applicationKey.hasPrefix("ddsat_")
    let apiKey = fields[Self.apiKey] ?? ""
    if apiKey.isEmpty, !isToken { return .refusal(403, "API key required") }
    if applicationKey.isEmpty { return .refusal(403, "Forbidden") }
    guard let credentials else { return nil }
    return apiKey == credentials.apiKey && applicationKey == credentials.applicationKey
      ? nil : .refusal(403, "Forbidden")
  }

  private static func neighbour(_ faults: FaultPlan, _ quota: Quota) -> Neighbour? {
    faults.neighbourShare.map { Neighbour(share: $0, of: quota, seed: faults.seed) }
  }
}
