import Registration

/// Why a request failed. It travels as `{"error":{"code":"…","message":"…","hint":"…"}}` with a fitting status.
package struct ControlError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable, CaseIterable {
    case badRequest = "bad_request"
    case forbidden
    case notFound = "not_found"
    /// A list of that name was submitted and could not be used.
    case rejected
    /// A list of that name waits to be read.
    case incoming
    case methodNotAllowed = "method_not_allowed"
    case conflict
    case tooLarge = "too_large"
    case misdirected
    /// Well-formed, but it cannot be carried out: a bad configuration, a list without a key.
    case unprocessable
    case failed = "internal"
    case unavailable
    /// The disk, or the quota, is full.
    case noSpace = "no_space"
    /// The disk is read-only or fails, or a folder is missing.
    case disk
    /// The daemon may not read or write what it needs to.
    case noAccess = "no_access"

    /// RFC 9110.
    package var status: Int {
      switch self {
      case .badRequest: 400
      case .forbidden: 403
      case .notFound, .rejected, .incoming: 404
      case .methodNotAllowed: 405
      case .conflict: 409
      case .tooLarge: 413
      case .misdirected: 421
      case .unprocessable: 422
      case .failed: 500
      case .unavailable, .disk, .noAccess: 503
      case .noSpace: 507
      }
    }
  }

  package let code: Code
  /// Without anything that looks like a secret: messages quote the request.
  package let message: String
  /// What to do about it, if anything.
  package let hint: String?
  /// For `methodNotAllowed`: the allowed methods, as in the `Allow` field.
  let allowed: String?

  package init(_ code: Code, _ message: String, hint: String? = nil) {
    self.init(code, message, hint: hint, allowed: nil)
  }

  init(_ code: Code, _ message: String, hint: String? = nil, allowed: String?) {
    self.code = code
    self.message = SecretText.redacted(message)
    self.hint = hint.map(SecretText.redacted)
    self.allowed = allowed
  }

  package static func notFound(_ message: String) -> ControlError { ControlError(.notFound, message) }

  package var description: String { message }
}

/// The body of an error.
struct ErrorDocument: Codable, Sendable {
  struct Body: Codable, Sendable {
    var code: String
    var message: String
    @ExplicitNull var hint: String?
  }

  var error: Body
}
