package import Registration

/// What went wrong with a request, in a form that may be stored and shown.
package struct RequestFault: Codable, Sendable, Hashable {
  /// Nil when there was no reply.
  package var status: Int?
  package var title: String
  package var detail: String?

  package init(status: Int?, title: String, detail: String?) {
    self.status = status
    self.title = title
    self.detail = detail
  }

  /// An answer that cannot come from the API: it is a gateway's, or the path is wrong.
  package var isFromElsewhere: Bool { status.map { (400..<500).contains($0) && $0 != 401 && $0 != 408 } ?? false }

  /// One line: `503 Service Unavailable: upstream is down`.
  package var summary: String {
    let start = status.map { title.contains(String($0)) ? title : "\($0) \(title)" } ?? title
    // Avoids "403 Forbidden: Forbidden", and "503 Service Unavailable: 503 Service Unavailable nginx" for an error page.
    guard let detail, detail.lowercased() != title.lowercased() else { return start }
    guard detail.lowercased().hasPrefix(start.lowercased()) else { return "\(start): \(detail)" }
    let rest = detail.dropFirst(start.count)
    if rest.isEmpty { return start }
    return rest.first == " " ? "\(start): \(rest.dropFirst())" : "\(start): \(detail)"
  }
}

extension Verdict {
  /// What went wrong, in one line; nil when nothing did.
  package var trouble: String? {
    switch self {
    case .registered: nil
    case .stale: "a kept-alive connection was dead"
    case .throttled: "429: the rate limit was reached"
    case .unauthorized(let detail): RequestFault(status: 401, title: "Unauthorized", detail: detail).summary
    case .forbidden(let title, let detail): RequestFault(status: 403, title: title, detail: detail).summary
    case .failed(let status, let title, let detail), .unsettled(let status, let title, let detail):
      RequestFault(status: status, title: title, detail: detail).summary
    case .unanswered(let title, let detail): RequestFault(status: nil, title: title, detail: detail).summary
    case .misdirected(let status, let title, let detail):
      RequestFault(status: status, title: title, detail: detail).summary
    }
  }
}
