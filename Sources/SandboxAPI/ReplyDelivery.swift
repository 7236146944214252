import Glibc
import HTTPTypes
import HummingbirdCore
import NIOCore

extension Reply {
  /// Thrown to make the server close a connection whose answer must not arrive.
  private struct Withheld: Error {}

  /// Sends the answer, or the part of it that is to arrive; never a body for HEAD requests.
  func send(_ writer: consuming ResponseWriter, to method: HTTPRequest.Method, _ channel: any Channel) async throws {
    switch delivery {
    case .whole:
      var head = HTTPResponse(status: .init(code: status), headerFields: fields)
      // RFC 9110, section 8.6: a 204 has no Content-Length.
      if status != 204 { head.headerFields[.contentLength] = String(body.utf8.count) }
      let sent = method == .head ? "" : body
      try await writer.write(response: head, body: ResponseBody(byteBuffer: ByteBuffer(string: sent)))
    case .half:
      var head = HTTPResponse(status: .init(code: status), headerFields: fields)
      head.headerFields[.contentLength] = String(max(2, body.utf8.count))
      var bodyWriter = try await writer.writeHead(head)
      try await bodyWriter.write(ByteBuffer(bytes: body.utf8.prefix(body.utf8.count / 2)))
      throw Withheld()
    case .none:
      throw Withheld()
    case .reset:
      if let socket = channel as? any SocketOptionProvider {
        // Closing a socket with a linger time of zero sends RST instead of FIN.
        try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
      }
      try await channel.close()
      throw Withheld()
    case .never:
      try await channel.closeFuture.get()
      throw Withheld()
    }
  }
}
