package import HTTPTypes
package import Registration

/// The operation that a request asks for, read only from its method and path.
package enum Operation: Equatable, Sendable {
  case register(AppKeyID)
  case get(AppKeyID)
  case unregister(AppKeyID)
  case list(page: Int, size: Int)
  /// An invalid parameter, with the sentence in the API's answer.
  case invalid(detail: String)
  case wrongMethod(allowed: String)
  case notFound

  static let path = "/api/v2/actions/app_key_registrations"

  /// The page when the request names none. The real default is not documented; the vendor's other lists use this.
  private static let defaultPageSize = 10

  package init(_ request: HTTPRequest) {
    let target = (request.path ?? "").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = target.first.map(String.init) ?? ""
    if path == Self.path {
      self = request.method == .get ? Self.list(target.count > 1 ? target[1] : "") : .wrongMethod(allowed: "GET")
      return
    }
    guard path.hasPrefix(Self.path + "/") else {
      self = .notFound
      return
    }
    let name = path.dropFirst(Self.path.count + 1)
    guard !name.isEmpty, !name.contains("/") else {
      self = .notFound
      return
    }
    self = Self.one(request.method, AppKeyID(name))
  }

  /// The key that the request is about.
  package var key: AppKeyID? {
    switch self {
    case .register(let id), .get(let id), .unregister(let id): id
    case .list, .invalid, .wrongMethod, .notFound: nil
    }
  }

  private static func one(_ method: HTTPRequest.Method, _ id: AppKeyID?) -> Operation {
    switch (method, id) {
    case (.put, let id?): .register(id)
    case (.get, let id?): .get(id)
    case (.delete, let id?): .unregister(id)
    case (.put, nil), (.get, nil), (.delete, nil): invalid("appKeyId", in: "path", expected: "uuid")
    default: .wrongMethod(allowed: "DELETE, GET, PUT")
    }
  }

  private static func list(_ query: Substring) -> Operation {
    var (page, size) = (0, defaultPageSize)
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count == 2 ? Int(parts[1]) : nil
      switch parts[0].lowercased().replacing("%5b", with: "[").replacing("%5d", with: "]") {
      case "page[size]":
        guard let value, value > 0 else { return invalid("page[size]", in: "query", expected: "int64") }
        size = value
      case "page[number]":
        guard let value, value >= 0 else { return invalid("page[number]", in: "query", expected: "int64") }
        page = value
      default:
        continue
      }
    }
    return .list(page: page, size: size)
  }

  private static func invalid(_ name: String, in place: String, expected type: String) -> Operation {
    .invalid(detail: "invalid parameter \"\(name)\" in \"\(place)\"; expected type \"\(type)\"")
  }
}
