import Crypto
import Foundation
package import Systemd

/// What the API knows the caller by. Both go into headers of each request and nowhere else.
package struct Credentials: Equatable, Sendable {
  package let apiKey: Secret
  package let appKey: Secret

  package init(apiKey: Secret, appKey: Secret) {
    self.apiKey = apiKey
    self.appKey = appKey
  }

  /// A keyed hash (HMAC with SHA-256, 16 bytes of it) that tells whether credentials are the same as earlier ones at the
  /// same endpoint. Nothing about them can be told from it.
  package func tag(for endpoint: Endpoint, key: [UInt8]) -> [UInt8] {
    // No part has a line end in it, so no two triples read the same.
    let text = [endpoint.base, apiKey.exposed, appKey.exposed].joined(separator: "\n")
    return Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: key)).prefix(16))
  }
}
