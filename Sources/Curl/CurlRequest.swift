/// One HTTP request as libcurl is told to send it. Everything that bounds it is stated here, so that no request is
/// without a deadline or a largest answer.
package struct CurlRequest: Sendable {
  package var method: String
  package var url: String
  package var headers: [(name: String, value: String)] = []
  /// Nil sends no body. An empty body is `[]`.
  package var body: [UInt8]?
  /// Until the connection stands, TLS included. Milliseconds.
  package var connectTimeout: Int = 5_000
  /// For the whole exchange, name resolution included. Milliseconds; 0 means no limit (streams only).
  package var timeout: Int = 30_000
  /// Bytes of body that are kept. More of it is not read: the reply says `isBodyTruncated`.
  package var bodyLimit: Int = 64 * 1024
  /// Bytes of header lines that are kept. A reply with more of them is an error.
  package var headerLimit: Int = 64 * 1024

  /// Whether a kept-alive connection that turns out to be dead ends the exchange with an error of kind `stale`. libcurl
  /// otherwise sends the request again on a new connection, up to five times, and nobody is told.
  package var isSentOnce = false

  package init(method: String, url: String) {
    self.method = method
    self.url = url
  }
}

/// Where and how connections are made. The same for every request of a handle, so that they can be kept alive.
package struct CurlRoute: Sendable, Equatable {
  /// A Unix socket to connect to instead of the host in the URL.
  package var unixSocket: String?
  /// A PEM file with trust roots besides the system's.
  package var caFile: String?
  /// A proxy URL; nil takes libcurl's reading of HTTPS_PROXY, NO_PROXY and ALL_PROXY. Never used for `http://`, whose
  /// requests would cross it in clear.
  package var proxy: String?

  package init(unixSocket: String? = nil, caFile: String? = nil, proxy: String? = nil) {
    self.unixSocket = unixSocket
    self.caFile = caFile
    self.proxy = proxy
  }
}

package struct CurlReply: Sendable {
  package var status: Int
  /// Of the final response, in order, names as they came.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  package var isBodyTruncated: Bool
  /// Seconds from the start of the exchange to its end.
  package var duration: Double

  /// The first value of a header, found without regard to letter case.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}
