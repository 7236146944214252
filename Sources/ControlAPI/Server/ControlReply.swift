import HTTPServer
import HTTPTypes
import HummingbirdCore
import NIOCore
import Registration

/// One answer: a complete body, or one that is written as it is produced.
struct ControlReply {
  enum Body {
    case whole([UInt8])
    case stream(@Sendable (inout any ResponseBodyWriter) async throws -> Void)
  }

  var status: Int
  var fields: HTTPFields
  var body: Body

  private init(_ status: Int, _ contentType: String, _ body: Body) {
    self.status = status
    fields = [.contentType: contentType, .cacheControl: "no-store", .xContentTypeOptions: "nosniff"]
    self.body = body
  }

  static func json(_ bytes: [UInt8], status: Int = 200) -> ControlReply {
    // One line end, whether or not the document has its own.
    let end = UInt8(ascii: "\n")
    return ControlReply(status, "application/json", .whole(bytes.last == end ? bytes : bytes + [end]))
  }

  static func document(_ document: some Encodable, status: Int = 200) throws -> ControlReply {
    json(try DocumentCoding.encode(document), status: status)
  }

  static func bytes(_ bytes: [UInt8], contentType: String) -> ControlReply {
    ControlReply(200, contentType, .whole(bytes))
  }

  static func text(_ text: String, contentType: String) -> ControlReply {
    ControlReply(200, contentType, .whole(Array(text.utf8)))
  }

  static func stream(
    contentType: String, _ write: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
  ) -> ControlReply {
    ControlReply(200, contentType, .stream(write))
  }

  static func error(_ error: ControlError) throws -> ControlReply {
    var reply = try document(
      ErrorDocument(
        error: .init(
          code: error.code.rawValue, message: error.message, hint: error.hint)),
      status: error.code.status)
    reply.fields[.allow] = error.allowed
    return reply
  }

  /// The answer to what is not a request.
  static func malformed(headerBytes: Int) throws -> MalformedAnswer {
    let reply = try error(
      ControlError(
        .badRequest, "this is not an HTTP/1.1 request, or its header has more than \(headerBytes) bytes"))
    guard case .whole(let bytes) = reply.body else { return MalformedAnswer(fields: reply.fields, body: []) }
    return MalformedAnswer(fields: reply.fields, body: bytes)
  }

  /// Sends the answer; only the head for HEAD requests.
  func send(_ writer: consuming ResponseWriter, to method: HTTPRequest.Method) async throws {
    var head = HTTPResponse(status: .init(code: status), headerFields: fields)
    head.headerFields[.date] = HTTPDate.text(milliseconds: Timestamp.now().milliseconds)
    if case .whole(let bytes) = body { head.headerFields[.contentLength] = String(bytes.count) }
    switch body {
    case _ where method == .head: try await writer.writeResponse(head)
    case .whole(let bytes):
      try await writer.write(response: head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    case .stream(let write): try await writer.write(response: head, body: ResponseBody(write))
    }
  }
}
