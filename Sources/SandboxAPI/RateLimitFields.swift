import HTTPTypes

/// The header fields that show a client the limit, as they were measured on the real API.
enum RateLimitFields {
  /// The name of the bucket. Letters, digits and underscores were seen.
  static let bucketName = "app_key_registrations"

  // The literals are valid field names, so the initializer gives a value.
  private static let limit = HTTPField.Name("X-RateLimit-Limit")!
  private static let period = HTTPField.Name("X-RateLimit-Period")!
  private static let remaining = HTTPField.Name("X-RateLimit-Remaining")!
  private static let reset = HTTPField.Name("X-RateLimit-Reset")!
  private static let name = HTTPField.Name("X-RateLimit-Name")!

  /// The statuses that were seen to cost quota and to carry the headers. 429 carries them too, but costs none.
  static let countedStatuses: Set<Int> = [200, 201, 204, 400, 404, 409, 422]

  static func add(
    _ reading: ServerLimit.Reading, to reply: inout Reply, mode: SandboxConfiguration.Headers
  ) {
    switch mode {
    case .full:
      reply.fields[limit] = String(reading.quota.count)
      reply.fields[period] = String(reading.quota.periodSeconds)
      reply.fields[remaining] = String(reading.remaining)
      reply.fields[reset] = String(reading.resetSeconds)
      reply.fields[name] = bucketName
    case .none:
      break
    case .retryAfter:
      if reply.status == 429 { reply.fields[.retryAfter] = String(reading.retrySeconds) }
    }
  }
}
