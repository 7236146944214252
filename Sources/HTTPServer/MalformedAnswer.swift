package import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// The answer to a request that is not HTTP, or whose header is too large. The connection is closed after it.
///
/// The server library writes such an answer itself, with status 400 and without a body, so that no responder sees the
/// request; this fills it in on its way out.
package struct MalformedAnswer: Sendable {
  package var fields: HTTPFields
  package var body: [UInt8]

  package init(fields: HTTPFields, body: [UInt8]) {
    self.fields = fields
    self.body = body
  }

  /// A handler for the pipeline of one connection.
  func handler() -> Handler { Handler(self) }

  final class Handler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let answer: MalformedAnswer

    fileprivate init(_ answer: MalformedAnswer) {
      self.answer = answer
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      // No responder answers 400 without saying why.
      guard case .head(var head) = unwrapOutboundIn(data), head.status == .badRequest,
        head.headerFields[.contentLength] == "0"
      else { return context.write(data, promise: promise) }
      head.headerFields.append(contentsOf: answer.fields)
      head.headerFields[.contentLength] = "\(answer.body.count)"
      context.write(wrapOutboundOut(.head(head)), promise: promise)
      context.write(wrapOutboundOut(.body(ByteBuffer(bytes: answer.body))), promise: nil)
    }
  }
}
