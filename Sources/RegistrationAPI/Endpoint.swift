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
    else { throw EndpointError("not a URL that begins with https://; \(Self.addresses)") }
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
    // The address of one key, perhaps the documentation's `{app_key_id}`.
    if let slash = base.lastIndex(of: "/"), base[..<slash].lowercased().hasSuffix(Self.path) {
      base = String(base[..<slash])
    }
    // The longest first. Such a path was copied together with the host.
    for part in Self.partsOfPath where base.lowercased().hasSuffix(part) {
      base.removeLast(part.count)
      break
    }
    while base.hasSuffix("/") { base.removeLast() }
    self.base = base
    try Self.refuseForeign(host)
  }

  /// `/api/v2/actions/app_key_registrations`, `/api/v2/actions`, `/api/v2`, `/api`; the older `/api/v1`; and the paths that
  /// the documentation uses to try a key.
  private static let partsOfPath: [String] = {
    var parts = ["/api/v1/validate", "/api/v2/validate", "/api/v1", path]
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
    let name = ["api.", "app."].first(where: host.hasPrefix).map { String(host.dropFirst($0.count)) } ?? host
    let site = Site.domain(of: host)
    if host == site?.apiHost { return }
    // A region that does not exist, or one without its domain: no address of the API is nearer than the others.
    let label = site.map { name == $0.name ? "" : String(name.dropLast($0.name.count + 1)) } ?? name
    // Elsewhere `gw1` may well be a gateway.
    let isRegion =
      UnknownSite.isRegion(label)
      && (site != nil || Site.regions[label] != nil || ["us", "eu", "ap", "uk"].contains(label.prefix(2)))
    if isRegion { throw EndpointError("\(host) is no site; \(addresses)") }
    guard let site else { return }
    throw EndpointError(
      "\(host) is the web application's or an organisation's own address; the API of its site is \(site.apiURL)")
  }

  private static let addresses =
    "the addresses of the API are " + Site.all.map(\.apiURL).joined(separator: ", ")

  package var description: String { base }

  /// The host in lower case, without port, path and the brackets of an IPv6 address.
  package var host: String {
    let rest = base.firstRange(of: "://").map { base[$0.upperBound...] } ?? base[...]
    if rest.first == "[" { return rest.dropFirst().prefix { $0 != "]" }.lowercased() }
    return rest.prefix { $0 != ":" && $0 != "/" }.lowercased()
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
