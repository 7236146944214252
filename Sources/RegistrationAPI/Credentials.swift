import Crypto
import Foundation
package import Secrets

/// How the API identifies the caller. Both go into headers of each request and nowhere else.
package struct Credentials: Equatable, Sendable {
  /// Nil when the application key is a token: the API then asks for no API key.
  package let apiKey: Secret?
  package let appKey: Secret

  package init(apiKey: Secret?, appKey: Secret) {
    self.apiKey = apiKey
    self.appKey = appKey
  }

  /// A keyed hash (16 bytes of HMAC with SHA-256) that shows whether credentials are the same as earlier ones at the
  /// same endpoint. It reveals nothing about them.
  package func tag(for endpoint: Endpoint, key: [UInt8]) -> [UInt8] {
    // No part contains a line end, so no two triples give the same text.
    let text = [endpoint.base, apiKey?.exposed ?? "", appKey.exposed].joined(separator: "\n")
    return Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: key)).prefix(16))
  }
}
