import Curl

/// Posts an announcement to `notify.url`. Its path is often a secret, so it is in no message.
struct PostDelivery {
  let url: String
  let route: CurlRoute

  /// Blocks until it is answered. Returns what went wrong, nil for nothing.
  func deliver(_ text: String) -> String? {
    var request = CurlRequest(method: "POST", url: url)
    request.headers = [("Content-Type", "application/json"), ("User-Agent", "keyreg")]
    request.body = Array(text.utf8)
    request.timeout = 10_000
    do {
      let reply = try EasyHandle(route: route).perform(request)
      return (200..<300).contains(reply.status) ? nil : "the server answered \(reply.status)"
    } catch {
      return "the server cannot be reached (\(error.kind))"
    }
  }
}
