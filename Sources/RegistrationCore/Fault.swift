package import Registration

/// What went wrong with a request, in words fit to be stored and shown.
package struct Fault: Codable, Sendable, Hashable {
  /// Nil when there was no reply.
  package var status: Int?
  package var title: String
  package var detail: String?

  package init(status: Int?, title: String, detail: String?) {
    self.status = status
    self.title = title
    self.detail = detail
  }

  /// An answer that cannot be the API's: a gateway, or another path than the API's.
  package var isNobodysWord: Bool { status.map { (400..<500).contains($0) && $0 != 401 && $0 != 408 } ?? false }

  /// One line: `503 Service Unavailable: upstream is down`.
  package var summary: String {
    let start = status.map { title.contains(String($0)) ? title : "\($0) \(title)" } ?? title
    // "403 Forbidden: Forbidden" says it twice.
    guard let detail, detail.lowercased() != title.lowercased() else { return start }
    return "\(start): \(detail)"
  }
}

extension Verdict {
  /// One line about what went wrong, nil when nothing did.
  package var trouble: String? {
    switch self {
    case .registered: nil
    case .failed(let status, let title, let detail): Fault(status: status, title: title, detail: detail).summary
    case .stale: "a kept-alive connection was dead"
    case .throttled: "429: the rate limit was reached"
    case .unauthorized(let detail): Fault(status: 401, title: "Unauthorized", detail: detail).summary
    case .forbidden(let title, let detail): Fault(status: 403, title: title, detail: detail).summary
    case .unsettled(let status, let title, let detail): Fault(status: status, title: title, detail: detail).summary
    case .unanswered(let title, let detail): Fault(status: nil, title: title, detail: detail).summary
    case .misdirected(let status, let title, let detail): Fault(status: status, title: title, detail: detail).summary
    }
  }
}
