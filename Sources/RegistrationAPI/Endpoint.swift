import Foundation
package import Registration

/// Where the API is: scheme, host and port, and a path prefix if it is reached through a gateway. It is a base: a path
/// that is part of the API's own is removed from its end.
///
/// Only https is accepted, since every request carries both secrets. http is accepted for loopback addresses, where
/// they do not leave the machine.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
  /// Without a slash at its end.
  package let base: String

  package static let path = "/api/v2/actions/app_key_registrations"

  package init(site: Site) {
    base = site.apiURL
  }

  /// Throws `EndpointError`, which says what is wrong with the URL.
  package init(url text: String) throws(EndpointError) {
    guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(), let host = parts.host,
      !host.isEmpty
    else { throw EndpointError("not a URL such as https://api.datadoghq.com") }
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw EndpointError("must be plain ASCII, without spaces")
    }
    guard parts.user == nil, parts.password == nil else {
      throw EndpointError("must not contain a user name or password")
    }
    guard parts.query == nil, parts.fragment == nil else { throw EndpointError("must not have a query or fragment") }
    switch scheme {
    case "https": break
    case "http":
      guard Self.isLoopback(host) else {
        throw EndpointError(
          "http:// is accepted for loopback addresses only: the credentials would cross the network in the clear")
      }
    default: throw EndpointError("must begin with https://")
    }
    if let port = parts.port, !(1...65535).contains(port) { throw EndpointError("has an invalid port") }
    var base = text
    while base.hasSuffix("/") { base.removeLast() }
    // The longest first. Such a path was copied together with the host.
    for part in Self.partsOfPath where base.lowercased().hasSuffix(part) {
      base.removeLast(part.count)
      break
    }
    while base.hasSuffix("/") { base.removeLast() }
    self.base = base
    try Self.refuseForeign(host)
  }

  /// `/api/v2/actions/app_key_registrations`, `/api/v2/actions`, `/api/v2`, `/api`; and the older `/api/v1`.
  private static let partsOfPath: [String] = {
    var parts = ["/api/v1", path]
    while let last = parts.last, let slash = last.dropFirst().lastIndex(of: "/") {
      parts.append(String(last[..<slash]))
    }
    return parts
  }()

  /// In the vendor's domains only `api.SITE` answers. Everything else is the web application, which would get both
  /// secrets and answer with pages.
  private static func refuseForeign(_ host: String) throws(EndpointError) {
    var host = host.lowercased()
    if host.hasSuffix(".") { host.removeLast() }
    guard let site = Site.domain(of: host), host != site.apiHost else { return }
    throw EndpointError(
      "\(host) is the web application's or an organisation's own address; the API of its site is \(site.apiURL)")
  }

  package var description: String { base }

  /// The host in lower case, without port and path.
  package var host: String {
    let rest = base.firstRange(of: "://").map { base[$0.upperBound...] } ?? base[...]
    let end = rest.first == "[" ? rest.firstIndex(of: "]") : nil
    return rest[..<(end ?? rest.firstIndex { $0 == ":" || $0 == "/" } ?? rest.endIndex)].lowercased()
  }

  package func registration(of id: AppKeyID) -> String { "\(base)\(Self.path)/\(id)" }

  package var firstRegistration: String { "\(base)\(Self.path)?page%5Bsize%5D=1&page%5Bnumber%5D=0" }

  /// `localhost`, 127.0.0.0/8 in its four-part form, and ::1.
  private static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host == "::1" || host == "[::1]" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    return parts.count == 4 && parts[0] == 127 && parts.allSatisfy { $0 != nil }
  }
}

package struct EndpointError: Error, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) {
    self.description = description
  }
}
