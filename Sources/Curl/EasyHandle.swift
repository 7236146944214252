import CCurl
import Glibc

/// A libcurl easy handle: one connection kept alive, one exchange at a time, blocking its thread.
///
/// It is not Sendable on purpose: it is made, used and ended on one thread. What holds for every exchange: redirects
/// are not followed, TLS is verified, only http and https are spoken, no signal is raised, no file is read for
/// credentials, and what comes back is bounded.
package final class EasyHandle {
  private let handle: UnsafeMutableRawPointer
  private let route: CurlRoute
  private let collector = ReplyCollector()
  private let errorText: UnsafeMutablePointer<CChar>

  /// Initialises libcurl once for the process; the static is the once.
  private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

  /// Throws when libcurl cannot be set up, or knows no such CA file or option.
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
    try set(CURLOPT_PROTOCOLS_STR, "http,https")
    try set(CURLOPT_USERAGENT, userAgent)
    try check(ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText))
    try check(ccurl_set_writer(handle, CURLOPT_WRITEFUNCTION, ReplyCollector.takeBody))
    try check(ccurl_set_writer(handle, CURLOPT_HEADERFUNCTION, ReplyCollector.takeHeader))
    let context = Unmanaged.passUnretained(collector).toOpaque()
    try check(ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context))
    try check(ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context))
    try check(ccurl_set_prereq(handle, CURLOPT_PREREQFUNCTION, ReplyCollector.takeRequest))
    try check(ccurl_set_pointer(handle, CURLOPT_PREREQDATA, context))
    if let socket = route.unixSocket { try set(CURLOPT_UNIX_SOCKET_PATH, socket) }
    if let caFile = route.caFile { try trust(caFile) }
  }

  deinit {
    curl_easy_cleanup(handle)
    errorText.deallocate()
  }

  /// Sends one request and waits for its whole reply, or for a deadline.
  ///
  /// `onBody`, when given, is handed the body as it comes, and the reply's own body stays empty; when it returns false
  /// the exchange ends with an error of kind `stopped`.
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

    var list: UnsafeMutablePointer<curl_slist>?
    defer { curl_slist_free_all(list) }
    for (name, value) in request.headers {
      list = curl_slist_append(list, "\(name): \(value)")
    }
    try check(ccurl_set_list(handle, CURLOPT_HTTPHEADER, list))

    collector.begin(request, onBody: onBody)
    defer { collector.end() }
    errorText[0] = 0
    let code = try run(body: request.body)
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

  private func run(body: [UInt8]?) throws(CurlError) -> CURLcode {
    guard let body else { return curl_easy_perform(handle) }
    try check(ccurl_set_off_t(handle, CURLOPT_POSTFIELDSIZE_LARGE, Int(body.count)))
    // COPYPOSTFIELDS keeps the bytes beyond this scope; it also turns the request into a POST, named above otherwise.
    let code = body.withUnsafeBytes { bytes in
      ccurl_set_pointer(
        handle, CURLOPT_COPYPOSTFIELDS,
        UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(errorText)))
    }
    try check(code)
    return curl_easy_perform(handle)
  }

  private func setProxy(for url: String) throws(CurlError) {
    if route.unixSocket != nil || url.lowercased().hasPrefix("http:") {
      try set(CURLOPT_PROXY, "")
    } else if let proxy = route.proxy {
      try set(CURLOPT_PROXY, proxy)
    } else {
      try check(ccurl_set_string(handle, CURLOPT_PROXY, nil))
    }
  }

  /// Adds a file of trust roots to the system's. libcurl's CAINFO replaces the system's file, but its CAPATH (the
  /// system's folder of hashed roots) stays in force beside it.
  private func trust(_ caFile: String) throws(CurlError) {
    guard access(caFile, R_OK) == 0 else {
      throw CurlError(
        code: CURLE_SSL_CACERT_BADFILE,
        detail: "cannot read the CA file \(caFile): \(String(cString: strerror(errno)))",
        systemError: errno)
    }
    try set(CURLOPT_CAINFO, caFile)
    try set(CURLOPT_CAPATH, "/etc/ssl/certs")
  }

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
    return CurlError(
      code: code, detail: isStale ? "the kept-alive connection was dead" : String(cString: errorText),
      systemError: Int32(truncatingIfNeeded: number(CURLINFO_OS_ERRNO)), wasSent: collector.requests > 0,
      isStale: isStale)
  }

  /// Either the repetition was stopped, or libcurl gave up at once: it counts its repetitions over the whole life of a
  /// handle and makes five at most.
  private func isStale(_ code: CURLcode) -> Bool {
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
