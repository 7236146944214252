/// One HTTP request for libcurl. All its limits are stated here, so that no request is without a deadline or a largest
/// answer.
package struct CurlRequest: Sendable {
  package var method: String
  package var url: String
  package var headers: [(name: String, value: String)] = []
  /// Nil sends no body. An empty body is `[]`.
  package var body: [UInt8]?
  /// For connecting, including TLS. Milliseconds.
  package var connectTimeout: Int = 5_000
  /// For the whole exchange, including name resolution. Milliseconds; 0 means no limit (streams only).
  package var timeout: Int = 30_000
  /// The largest body that is kept, in bytes. The rest is not read, and the reply says `isBodyTruncated`.
  package var bodyLimit: Int = 64 * 1024
  /// Maximum bytes of header lines. A reply with more is an error.
  package var headerLimit: Int = 64 * 1024

  /// Whether a dead kept-alive connection ends the exchange with an error of kind `stale`. Otherwise libcurl silently
  /// sends the request again on a new connection, up to five times.
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
  /// PEM files with trust roots in addition to the system's.
  package var caFiles: [String]
  /// Folders with trust roots in addition to the system's, named by hash (`openssl rehash`).
  package var caFolders: [String]
  /// A proxy URL, for every host; with nil, libcurl uses HTTPS_PROXY, NO_PROXY and ALL_PROXY. Never used for `http://`, whose requests
  /// would cross it in the clear.
  package var proxy: String?

  package init(
    unixSocket: String? = nil, caFiles: [String] = [], caFolders: [String] = [], proxy: String? = nil
  ) {
    self.unixSocket = unixSocket
    self.caFiles = caFiles
    self.caFolders = caFolders
    self.proxy = proxy
  }
}

package struct CurlReply: Sendable {
  package var status: Int
  /// From the final response.
  package var headers: CurlHeaders
  package var body: [UInt8]
  package var isBodyTruncated: Bool
  /// Seconds from the start of the exchange to its end.
  package var duration: Double
}
