import CCurl

/// Collects what libcurl delivers during an exchange, and stops it when it exceeds the limits.
final class ReplyCollector {
  private(set) var headers = CurlHeaders()
  private(set) var body: [UInt8] = []
  private(set) var isBodyTruncated = false
  private(set) var isStopped = false
  private(set) var isHeaderOverflown = false
  /// How often the request was about to be sent on an open connection, including the last time.
  private(set) var requests = 0
  /// It was not sent a second time.
  private(set) var isStale = false

  private var bodyLimit = 0
  private var headerLimit = 0
  private var headerBytes = 0
  private(set) var isSentOnce = false
  private var onBody: ((UnsafeRawBufferPointer) -> Bool)?

  func begin(_ request: CurlRequest, onBody: ((UnsafeRawBufferPointer) -> Bool)?) {
    headers.removeAll()
    body.removeAll(keepingCapacity: true)
    isBodyTruncated = false
    isStopped = false
    isHeaderOverflown = false
    requests = 0
    isStale = false
    isSentOnce = request.isSentOnce
    headerBytes = 0
    bodyLimit = request.bodyLimit
    headerLimit = request.headerLimit
    self.onBody = onBody
  }

  /// Releases the caller's closure, which must not outlive the exchange.
  func end() {
    onBody = nil
  }

  /// Called before each request, also before one that libcurl repeats by itself.
  static let takeRequest: curl_prereq_callback = { context, _, _, _, _ in
    guard let context else { return CURL_PREREQFUNC_ABORT }
    return Unmanaged<ReplyCollector>.fromOpaque(context).takeUnretainedValue().beginRequest()
  }

  static let takeBody: ccurl_write_callback = { data, size, count, context in
    guard let data, let context else { return 0 }
    let collector = Unmanaged<ReplyCollector>.fromOpaque(context).takeUnretainedValue()
    return collector.appendBody(UnsafeRawBufferPointer(start: data, count: size * count))
  }

  static let takeHeader: ccurl_write_callback = { data, size, count, context in
    guard let data, let context else { return 0 }
    let collector = Unmanaged<ReplyCollector>.fromOpaque(context).takeUnretainedValue()
    return collector.appendHeader(UnsafeRawBufferPointer(start: data, count: size * count))
  }

  private func beginRequest() -> Int32 {
    guard requests == 0 || !isSentOnce else {
      isStale = true
      return CURL_PREREQFUNC_ABORT
    }
    requests += 1
    return CURL_PREREQFUNC_OK
  }

  /// Returns the number of bytes taken; fewer than offered ends the exchange.
  private func appendBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    if let onBody {
      guard onBody(bytes) else {
        isStopped = true
        return 0
      }
      return bytes.count
    }
    let room = bodyLimit - body.count
    guard bytes.count <= room else {
      body.append(contentsOf: bytes.prefix(room))
      isBodyTruncated = true
      return 0
    }
    body.append(contentsOf: bytes)
    return bytes.count
  }

  private func appendHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
    headerBytes += bytes.count
    guard headerBytes <= headerLimit else {
      isHeaderOverflown = true
      return 0
    }
    // A status line opens a response: what came before it (100 Continue, a proxy's CONNECT) is not the reply.
    if bytes.starts(with: "HTTP/".utf8) {
      headers.removeAll()
      return bytes.count
    }
    headers.append(bytes)
    return bytes.count
  }
}
