import CCurl
import Registration

/// Why there was no reply.
package struct CurlError: Error, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// The name was not resolved, or nothing listens there.
    case unreachable
    /// The proxy could not be reached, or refused to connect.
    case proxy
    /// The peer's certificate or the TLS exchange was refused.
    case tls
    /// A deadline passed.
    case timedOut
    /// The connection ended before the reply was complete.
    case interrupted
    /// A kept-alive connection was dead, and the request must not be sent twice.
    case stale
    /// The peer did not speak HTTP, or sent more header lines than are kept.
    case protocolViolation
    /// The receiver of a streamed body wanted no more of it.
    case stopped
    /// The request itself cannot be made: a bad URL, a missing CA file, no permission for the socket.
    case unusable
  }

  package let kind: Kind
  /// libcurl's own number, for logs.
  package let code: Int
  package let message: String
  /// The `errno` of a failed connect, else 0.
  package let systemError: Int32
  /// Whether the request, or part of it, may have been sent: false when no connection was made.
  package let wasSent: Bool

  package var description: String { message }

  init(code: CURLcode, detail: String, systemError: Int32, wasSent: Bool = false, isStale: Bool = false) {
    self.code = Int(code.rawValue)
    self.kind = isStale ? .stale : Self.kind(of: code)
    self.wasSent = wasSent
    self.systemError = systemError
    // libcurl quotes the proxy as configured, including its password.
    self.message = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : SecretText.redacted(detail)
  }

  static func kind(of code: CURLcode) -> Kind {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT: .unreachable
    case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: .proxy
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
      CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_USE_SSL_FAILED:
      .tls
    case CURLE_OPERATION_TIMEDOUT: .timedOut
    case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2, CURLE_HTTP2_STREAM,
      CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_CONNECT_ERROR:
      // The last one also comes from a connection that was reset during the handshake.
      .interrupted
    // libcurl reports "out of memory" when a single header line is larger than it accepts.
    case CURLE_WEIRD_SERVER_REPLY, CURLE_OUT_OF_MEMORY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING:
      .protocolViolation
    case CURLE_ABORTED_BY_CALLBACK, CURLE_WRITE_ERROR: .stopped
    default: .unusable
    }
  }
}
