import HTTPServer
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Registration

/// Answers one request after another: finds the route, asks the backend, and turns what it says into a reply.
struct ControlResponder: Sendable {
  /// Bytes of the small bodies of `pause` and `retry`: some 100,000 keys.
  private static let commandLimit = 4 * 1024 * 1024
  /// How long a client may take none of what is written to it.
  private static let stallPatience = TimeAmount.seconds(60)
  /// How long a client that sends a body nobody wants has for reading why.
  private static let unreadPatience = TimeAmount.seconds(1)

  let backend: any ControlBackend
  let logger: Logger
  let listLimit: @Sendable () -> Int
  let keepAlive: Duration
  /// Nil on the Unix socket, whose permissions say who may do what.
  let guardTCP: LoopbackGuard?
  let longExchanges: LongExchanges

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
    } catch let error where error is SubmittedBody.Interrupted || error is CancellationError {
      // The client is gone, or the server stops: nobody waits for an answer.
      throw error
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
    let limit = if case .submit = route { listLimit() } else { Self.commandLimit }
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
      return IndexPage.reply(await backend.status(), try await backend.lists(newest: IndexPage.shownLists))
    case .status:
      return try .document(await backend.status())
    case .lists(let query):
      let page = try await backend.lists(query)
      return .json(try await OffLoop.run(on: OffLoop.answers) { try DocumentCoding.encode(page) })
    case .list(let name):
      guard let list = try await backend.list(named: name) else {
        throw ControlError.notFound("there is no list named “\(PrintableText.escape(name))”")
      }
      return try .document(list)
    case .outcomes(let query, let format):
      return try await OutcomeStream(
        query: query, format: format, backend: backend, stall: stall, place: longExchanges.take()
      ).reply()
    case .key(let id):
      guard let key = try await backend.key(id) else { throw ControlError.notFound("the key \(id) is in no list") }
      return try .document(key)
    case .events:
      return EventStream(
        backend: backend, channel: channel, stall: stall, place: try longExchanges.take(), keepAlive: keepAlive
      ).reply()
    case .backup:
      // Everything there is, and a disk full of it: for whoever may use the socket.
      guard guardTCP == nil else { throw ControlError(.forbidden, "a backup is made over the control socket only") }
      let place = try longExchanges.take()
      return BackupStream(pieces: try await backend.backup(), stall: stall, place: place).reply()
    case .metrics:
      let form = OpenMetricsText.Form(accept: accept)
      return .text(await backend.metrics().text(form), contentType: form.contentType)
    case .health:
      let health = await backend.health()
      return try .document(health, status: health.healthy ? 200 : 503)
    case .submit(let name, let force):
      let place = try longExchanges.take()
      defer { withExtendedLifetime(place) {} }
      return .json(try await backend.submit(name: name, force: force, body: body), status: 201)
    case .cancel(let name):
      _ = try await body.collect()
      return try .document(try await backend.cancel(list: name))
    case .pause(let reason):
      let said: PauseRequest? = try await command(body)
      return try .document(try await backend.pause(reason: said?.reason ?? reason))
    case .resume:
      _ = try await body.collect()
      return try .document(try await backend.resume())
    case .retry(let query):
      let said: RetryRequest? = try await command(body)
      return try .document(try await backend.retry(query.narrowed(by: said)))
    case .reload:
      _ = try await body.collect()
      return try .document(try await backend.reload())
    }
  }

  /// The body as a document; nil when it is empty.
  private func command<Document: Decodable & Sendable>(_ body: SubmittedBody) async throws -> Document? {
    let bytes = try await body.collect()
    guard !bytes.isEmpty else { return nil }
    do {
      return try await OffLoop.run(on: OffLoop.answers) { try DocumentCoding.decode(Document.self, from: bytes) }
    } catch let error as ControlError {
      throw error
    } catch {
      throw ControlError(.badRequest, "the body is not the JSON object that this address takes")
    }
  }
}

extension ControlRoute {
  /// True when the body is read to its end.
  fileprivate var readsBody: Bool {
    switch self {
    case .submit, .cancel, .pause, .resume, .retry, .reload: true
    case .index, .status, .lists, .list, .outcomes, .key, .events, .backup, .metrics, .health: false
    }
  }
}

extension RetryRequest {
  /// What the query and the body say together; the body wins where both say something.
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
