import HTTPServer
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Registration

/// Answers one request after another: finds the route, asks the backend, and turns the result into a reply.
struct ControlResponder: Sendable {
  /// Bytes of the small bodies of `pause` and `retry`: some 100,000 keys.
  private static let commandLimit = 4 * 1024 * 1024
  /// How long a client may read nothing of what is written to it.
  private static let stallPatience = TimeAmount.seconds(60)
  /// How long a client that sends an unwanted body has for reading the error.
  private static let unreadPatience = TimeAmount.seconds(1)

  let backend: any ControlBackend
  let logger: Logger
  let listLimit: @Sendable () -> Int
  let keepAlive: Duration
  /// Nil on the Unix socket, whose permissions say who may use it.
  let guardTCP: LoopbackGuard?
  let longExchanges: LongExchanges
  /// Those that are kept in memory.
  let largeBodies: LongExchanges
  /// Encodes and decodes single documents, which do not wait for streams.
  let documents: OffLoop
  /// Renders the pages of streams, however many there are.
  let pages: OffLoop

  func respond(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
    var hasUnreadBody = request.hasBody
    var reply: ControlReply
    do {
      try guardTCP?.admit(request.head)
      let route = try ControlRoute(request.head)
      let body = try body(of: request, for: route, channel)
      if hasUnreadBody, request.headers[.expect]?.lowercased() == "100-continue" {
        try await writer.writeInformationalHead(HTTPResponse(status: .continue))
      }
      reply = try await answer(route, body, channel, accept: request.headers[.accept])
      hasUnreadBody = hasUnreadBody && !route.readsBody
    } catch let error as ControlError {
      reply = try .error(error)
    } catch let error as SubmittedBody.Interrupted {
      // The client is gone; or the server library ends the connection, with the answer to what is not HTTP.
      throw error.cause ?? error
    } catch is CancellationError {
      // The server stops.
      throw CancellationError()
    } catch {
      logger.error(
        "a control request failed",
        metadata: ["method": "\(request.method)", "path": "\(request.uri.path)", "error": "\(error)"])
      reply = try .error(ControlError(.failed, "the daemon could not answer; its log says why"))
    }
    if hasUnreadBody {
      reply.fields[.connection] = "close"
      channel.eventLoop.scheduleTask(in: Self.unreadPatience) { channel.close(promise: nil) }
    }
    try await reply.send(writer, to: request.method)
  }

  private func body(of request: Request, for route: ControlRoute, _ channel: any Channel) throws -> SubmittedBody {
    let limit = route.takesList ? listLimit() : Self.commandLimit
    let length = request.headers[.contentLength].flatMap { Int($0) }
    if let length, length > limit, route.readsBody { throw SubmittedBody.tooLarge(limit) }
    return SubmittedBody(body: request.body, channel: channel, length: length, limit: limit)
  }

  private func answer(
    _ route: ControlRoute, _ body: SubmittedBody, _ channel: any Channel, accept: String?
  ) async throws -> ControlReply {
    let stall = StallGuard(channel: channel, patience: Self.stallPatience)
    switch route {
    case .index:
      let (status, open) = (await backend.status(), try await backend.lists(OverviewPage.openLists))
      let newest = try await backend.lists(newest: OverviewPage.most)
      return try await documents.run { OverviewPage(status: status, open: open, newest: newest).reply() }
    case .listPage(let name):
      let status = await backend.status()
      guard let digest = try await backend.digest(of: name) else {
        return MissingListPage(status: status, name: name, reason: try await absence(of: name)).reply()
      }
      return try await documents.run { ListPage(status: status, digest: digest).reply() }
    case .status:
      return try .document(await backend.status())
    case .lists(let query):
      let page = try await backend.lists(query)
      return .json(try await documents.run { try DocumentCoding.encode(page) })
    case .list(let name):
      guard let list = try await backend.list(named: name) else { throw Self.noList(name) }
      return try .document(list)
    case .outcomes(let query, let format):
      return try await OutcomeStream(
        query: query, format: format, backend: backend, pages: pages, stall: stall,
        place: longExchanges.take(for: channel)
      ).reply()
    case .key(let id):
      guard let key = try await backend.key(id) else { throw ControlError.notFound("the key \(id) is in no list") }
      return try .document(key)
    case .history(let since):
      let history = await backend.history(since: since)
      return .json(try await documents.run { try DocumentCoding.encode(history) })
    case .limits:
      return try .document(await backend.limits())
    case .openAPI:
      return .bytes(PackageResources.openapi_json, contentType: "application/json")
    case .asset(let asset):
      return asset.reply
    case .events:
      return EventStream(
        backend: backend, channel: channel, stall: stall, place: try longExchanges.take(for: channel),
        keepAlive: keepAlive
      ).reply()
    case .backup:
      // It contains everything and can fill a disk: only for users of the socket.
      guard guardTCP == nil else { throw ControlError(.forbidden, "a backup is made over the control socket only") }
      let place = try longExchanges.take(for: channel)
      return BackupStream(pieces: try await backend.backup(), stall: stall, place: place).reply()
    case .metrics:
      let form = OpenMetricsText.Form(accept: accept)
      return .text(await backend.metrics().text(form), contentType: form.contentType)
    case .health:
      let health = await backend.health()
      return try .document(health, status: health.healthy ? 200 : 503)
    case .submit(let name, let force, let terms):
      let place = try longExchanges.take(for: channel)
      defer { withExtendedLifetime(place) {} }
      return .json(try await backend.submit(name: name, force: force, terms: terms, body: body), status: 201)
    case .preview(let name, let force):
      let place = try longExchanges.take(for: channel)
      defer { withExtendedLifetime(place) {} }
      let preview = try await backend.preview(name: name, force: force, body: body)
      return .json(try await documents.run { try DocumentCoding.encode(preview) })
    case .cancel(let name):
      _ = try await body.collect(largeBodies)
      return try .document(try await backend.cancel(list: name))
    case .set(let name, let change):
      _ = try await body.collect(largeBodies)
      guard change != ListTermsChange() else {
        throw ControlError(.badRequest, "say what to change: priority (0 to 9) or stop_after (such as 5%, or never)")
      }
      return try .document(try await backend.set(list: name, change))
    case .pause(let reason):
      let said: PauseRequest? = try await command(body)
      return try .document(try await backend.pause(reason: said?.reason ?? reason))
    case .resume:
      _ = try await body.collect(largeBodies)
      return try .document(try await backend.resume())
    case .retry(let query):
      let said: RetryRequest? = try await command(body)
      return try .document(try await backend.retry(query.narrowed(by: said)))
    case .reload:
      _ = try await body.collect(largeBodies)
      return try .document(try await backend.reload())
    case .check:
      _ = try await body.collect(largeBodies)
      return try .document(try await backend.check())
    }
  }

  /// Why a list has no page of its own: it is not known, or was not read.
  private func absence(of name: String) async throws -> ControlError {
    do {
      _ = try await backend.list(named: name)
    } catch let error as ControlError where error.code.status == 404 {
      return error
    }
    return Self.noList(name)
  }

  private static func noList(_ name: String) -> ControlError {
    .notFound("there is no list named “\(PrintableText.escape(SecretText.redacted(name)))”")
  }

  /// The body as a document; nil when it is empty.
  private func command<Document: Decodable & Sendable>(_ body: SubmittedBody) async throws -> Document? {
    let (bytes, place) = try await body.collect(largeBodies)
    defer { withExtendedLifetime(place) {} }
    guard !bytes.isEmpty else { return nil }
    do {
      return try await documents.run { try DocumentCoding.decode(Document.self, from: bytes) }
    } catch let error as ControlError {
      throw error
    } catch {
      throw ControlError(.badRequest, "the body must be the JSON object that this path expects")
    }
  }
}

extension ControlRoute {
  /// True when the body is a list.
  fileprivate var takesList: Bool {
    switch self {
    case .submit, .preview: true
    default: false
    }
  }

  /// True when the whole body is read.
  fileprivate var readsBody: Bool {
    switch self {
    case .submit, .preview, .cancel, .set, .pause, .resume, .retry, .reload, .check: true
    case .index, .listPage, .asset, .status, .lists, .list, .outcomes, .key, .history, .limits, .openAPI, .events,
      .backup, .metrics, .health:
      false
    }
  }
}

extension RetryRequest {
  /// The query and the body combined; the body takes precedence.
  fileprivate func narrowed(by other: RetryRequest?) -> RetryRequest {
    RetryRequest(list: other?.list ?? list, error: other?.error ?? error, keys: keys + (other?.keys ?? []))
  }
}

extension Request {
  /// True when the head announces a body (RFC 9112, section 6.3).
  fileprivate var hasBody: Bool {
    headers[.transferEncoding] != nil || headers[.contentLength].map { $0 != "0" } ?? false
  }
}
