import CCurl
import Glibc
import Registration

/// A libcurl easy handle: one connection kept alive, one exchange at a time, blocking its thread.
///
/// Deliberately not Sendable: it is created, used and released on one thread. For every exchange: redirects are not
/// followed, TLS is verified, only http and https are used, no signal is raised, no file is read for credentials, and
/// the size of the reply is limited.
package final class EasyHandle {
  private let handle: UnsafeMutableRawPointer
  private let route: CurlRoute
  private let collector = ReplyCollector()
  private let errorText: UnsafeMutablePointer<CChar>
  private var headers: [(name: String, value: String)] = []
  private var headerList: UnsafeMutablePointer<curl_slist>?
  /// The last exchange ended with a reply, so that the connection was alive then.
  private var wasAnswered = false

  /// Initialises libcurl once for the process.
  private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

  /// Throws when libcurl cannot be set up, or does not know an option or find a CA file.
  package init(route: CurlRoute = CurlRoute(), userAgent: String = "keyreg") throws(CurlError) {
    guard Self.isReady, let handle = curl_easy_init() else {
      throw CurlError(code: CURLE_FAILED_INIT, detail: "libcurl could not be initialised", systemError: 0)
    }
    self.handle = handle
    self.route = route
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    // From here on deinit runs even when an option is refused.
    try set(CURLOPT_NOSIGNAL, 1)
    try set(CURLOPT_FOLLOWLOCATION, 0)
    try set(CURLOPT_SSL_VERIFYPEER, 1)
    try set(CURLOPT_SSL_VERIFYHOST, 2)
    try set(CURLOPT_TCP_KEEPALIVE, 1)
    try set(CURLOPT_NETRC, 0)
    // One exchange at a time needs one connection. An older one is closed when a new one is made.
    try set(CURLOPT_MAXCONNECTS, 1)
    try set(CURLOPT_PROTOCOLS_STR, "http,https")
    try set(CURLOPT_USERAGENT, userAgent)
    // Every coding that libcurl can decode. A server may use any where the client names none (RFC 9110, section 12.5.3).
    try set(CURLOPT_ACCEPT_ENCODING, "")
    try check(ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText))
    try check(ccurl_set_writer(handle, CURLOPT_WRITEFUNCTION, ReplyCollector.takeBody))
    try check(ccurl_set_writer(handle, CURLOPT_HEADERFUNCTION, ReplyCollector.takeHeader))
    let context = Unmanaged.passUnretained(collector).toOpaque()
    try check(ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context))
    try check(ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context))
    try check(ccurl_set_prereq(handle, CURLOPT_PREREQFUNCTION, ReplyCollector.takeRequest))
    try check(ccurl_set_pointer(handle, CURLOPT_PREREQDATA, context))
    if let socket = route.unixSocket { try set(CURLOPT_UNIX_SOCKET_PATH, socket) }
    try trust(files: route.caFiles, folders: route.caFolders)
  }

  deinit {
    curl_easy_cleanup(handle)
    curl_slist_free_all(headerList)
    errorText.deallocate()
  }

  /// Sends one request and waits for its complete reply, or for a deadline.
  ///
  /// `onBody`, if given, gets the body as it arrives, and the reply's own body stays empty. When it returns false, the
  /// exchange ends with an error of kind `stopped`.
  package func perform(
    _ request: CurlRequest, onBody: ((UnsafeRawBufferPointer) -> Bool)? = nil
  ) throws(CurlError) -> CurlReply {
    try set(CURLOPT_URL, request.url)
    try set(CURLOPT_NOBODY, request.method == "HEAD" ? 1 : 0)
    if request.method != "HEAD" { try set(CURLOPT_HTTPGET, 1) }
    try set(CURLOPT_CUSTOMREQUEST, request.method)
    try set(CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeout)
    try set(CURLOPT_TIMEOUT_MS, request.timeout)
    try setProxy(for: request.url)
    try set(CURLOPT_FRESH_CONNECT, isConnectionUsable ? 0 : 1)

    try setHeaders(request.headers)
    collector.begin(request, onBody: onBody)
    defer { collector.end() }
    errorText[0] = 0
    let code = try run(body: request.body)
    defer { wasAnswered = code == CURLE_OK }
    if code == CURLE_WRITE_ERROR, collector.isBodyTruncated, !collector.isStopped, !collector.isHeaderOverflown {
      // The kept part of an oversize body is a reply like any other; its connection was closed.
    } else if code == CURLE_WRITE_ERROR, collector.isHeaderOverflown {
      throw CurlError(
        code: CURLE_WEIRD_SERVER_REPLY, detail: "more header bytes than are kept", systemError: 0, wasSent: true)
    } else if code != CURLE_OK {
      throw failure(code)
    }
    return CurlReply(
      status: number(CURLINFO_RESPONSE_CODE), headers: collector.headers, body: collector.body,
      isBodyTruncated: collector.isBodyTruncated, duration: Double(microseconds(CURLINFO_TOTAL_TIME_T)) / 1e6)
  }

  /// The next request gets a new connection: what the last one brought was the answer to something else.
  package func distrustConnection() { wasAnswered = false }

  /// Whether the next request may go over the kept-alive connection.
  ///
  /// libcurl keeps an HTTP/2 connection on which an answer never came, and would send the next request into the same
  /// void. Over HTTP/1, the Debian 12 version (7.88) takes bytes that came before the request was sent for its answer: a
  /// 408 with which a server ends an idle connection, or an answer that was sent twice. RFC 9112, section 9.2, forbids
  /// that. HTTP/2 answers name their request, and its connections may get frames at any time.
  private var isConnectionUsable: Bool {
    guard wasAnswered else { return false }
    guard number(CURLINFO_HTTP_VERSION) < Int(CURL_HTTP_VERSION_2_0) else { return true }
    var socket = CURL_SOCKET_BAD
    // Without a socket there is no connection to keep.
    guard ccurl_get_socket(handle, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK, socket != CURL_SOCKET_BAD else {
      return true
    }
    var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, 0) == 0
  }

  private func run(body: [UInt8]?) throws(CurlError) -> CURLcode {
    guard let body else { return curl_easy_perform(handle) }
    try check(ccurl_set_off_t(handle, CURLOPT_POSTFIELDSIZE_LARGE, Int(body.count)))
    // COPYPOSTFIELDS keeps the bytes beyond this scope. It also makes the request a POST, unless another method was set
    // above.
    let code = body.withUnsafeBytes { bytes in
      ccurl_set_pointer(
        handle, CURLOPT_COPYPOSTFIELDS,
        UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(errorText)))
    }
    try check(code)
    return curl_easy_perform(handle)
  }

  /// Most requests of a handle have the same headers: libcurl keeps the list.
  private func setHeaders(_ headers: [(name: String, value: String)]) throws(CurlError) {
    guard !headers.elementsEqual(self.headers, by: ==) else { return }
    var list: UnsafeMutablePointer<curl_slist>?
    for (name, value) in headers {
      // Without memory there is no list: sent without it, a request would lack its credentials.
      guard let longer = curl_slist_append(list, "\(name): \(value)") else {
        curl_slist_free_all(list)
        throw CurlError(code: CURLE_OUT_OF_MEMORY, detail: "", systemError: 0)
      }
      list = longer
    }
    try check(ccurl_set_list(handle, CURLOPT_HTTPHEADER, list))
    curl_slist_free_all(headerList)
    (headerList, self.headers) = (list, headers)
  }

  private func setProxy(for url: String) throws(CurlError) {
    if route.unixSocket != nil || url.utf8.prefix(5).map({ $0 | 0x20 }).elementsEqual("http:".utf8) {
      try set(CURLOPT_PROXY, "")
    } else if let proxy = route.proxy {
      try set(CURLOPT_PROXY, proxy)
      // Otherwise NO_PROXY in the environment would override what was set on purpose.
      try set(CURLOPT_NOPROXY, "")
    } else {
      try check(ccurl_set_string(handle, CURLOPT_PROXY, nil))
    }
  }

  /// Adds trust roots to the system's. libcurl's CAINFO replaces the system's file, but its CAPATH (the system's folder
  /// of hashed roots) remains in use. CAPATH may be several folders (OpenSSL's X509_LOOKUP_hash_dir), CAINFO only one
  /// file, so that more are joined in memory.
  private func trust(files: [String], folders: [String]) throws(CurlError) {
    if files.isEmpty, folders.isEmpty { return }
    var joined: [UInt8] = []
    for file in files {
      do throws(SystemFault) {
        let descriptor = try FileIO.open(file, O_RDONLY)
        defer { close(descriptor) }
        joined += try FileIO.read(descriptor, upTo: Self.largestTrust) + [UInt8(ascii: "\n")]
      } catch {
        throw CurlError(
          code: CURLE_SSL_CACERT_BADFILE, detail: "cannot read the CA file \(file): \(error.text)",
          systemError: error.code)
      }
    }
    if !files.isEmpty {
      let code = joined.withUnsafeMutableBytes { ccurl_set_blob(handle, CURLOPT_CAINFO_BLOB, $0.baseAddress, $0.count) }
      try check(code)
    }
    let system = "/etc/ssl/certs"
    try set(CURLOPT_CAPATH, ([system] + folders.filter { $0 != system }).joined(separator: ":"))
  }

  /// Bytes of one file of trust roots; the system's own has a twentieth of that.
  private static let largestTrust = 4 << 20

  private func set(_ option: CURLoption, _ value: Int) throws(CurlError) {
    try check(ccurl_set_long(handle, option, value))
  }

  private func set(_ option: CURLoption, _ value: String) throws(CurlError) {
    try check(ccurl_set_string(handle, option, value))
  }

  private func check(_ code: CURLcode) throws(CurlError) {
    if code != CURLE_OK { throw failure(code) }
  }

  private func failure(_ code: CURLcode) -> CurlError {
    let isStale = isStale(code)
    let detail =
      switch (isStale, collector.isStale) {
      case (true, _): "the kept-alive connection was dead"
      case (false, true): "the server turned the request away without an answer"
      case (false, false): String(cString: errorText)
      }
    return CurlError(
      code: code, detail: detail, systemError: Int32(truncatingIfNeeded: number(CURLINFO_OS_ERRNO)),
      wasSent: collector.requests > 0, isStale: isStale)
  }

  /// Either the repetition was stopped, or libcurl gave up at once: it counts repetitions over the life of a handle and
  /// makes at most five. Not twice in a row: an HTTP/2 server can turn away one request after another on a connection that
  /// is alive, not stale.
  private func isStale(_ code: CURLcode) -> Bool {
    guard wasAnswered else { return false }
    if collector.isStale { return true }
    return collector.isSentOnce && collector.requests == 1 && collector.headers.isEmpty
      && number(CURLINFO_NUM_CONNECTS) == 0 && CurlError.kind(of: code) == .interrupted
  }

  private func number(_ info: CURLINFO) -> Int {
    var value = 0
    return ccurl_get_long(handle, info, &value) == CURLE_OK ? value : 0
  }

  private func microseconds(_ info: CURLINFO) -> Int {
    var value: curl_off_t = 0
    return ccurl_get_off_t(handle, info, &value) == CURLE_OK ? Int(value) : 0
  }
}
