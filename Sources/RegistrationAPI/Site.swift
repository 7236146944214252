/// A Datadog site, by its usual name, and the host of its API.
///
/// Source: the vendor's list of sites; `uk1` is newer than most clients.
package struct Site: Hashable, Sendable {
  package let name: String

  package static let standard = Site(known: "datadoghq.com")

  /// Every site, in the order in which they are listed.
  package static let all = [
    "datadoghq.com", "us3.datadoghq.com", "us5.datadoghq.com", "datadoghq.eu", "ap1.datadoghq.com", "ap2.datadoghq.com",
    "uk1.datadoghq.com", "ddog-gov.com", "us2.ddog-gov.com",
  ].map(Site.init(known:))

  package var apiHost: String { "api." + name }
  package var apiURL: String { "https://" + apiHost }

  private init(known name: String) {
    self.name = name
  }

  /// Accepts a site with or without scheme, `app.`, `api.`, port, trailing slash and quotes (which files of variables
  /// leave around a value), in any letter case, or by the short name of its region (`us5`, `eu`). Throws `UnknownSite`.
  package init(_ text: some StringProtocol) throws(UnknownSite) {
    let name = Self.host(in: text.lowercased())
    guard let site = Self.regions[name] ?? Self.all.first(where: { $0.name == name }) else {
      throw UnknownSite(name)
    }
    self = site
  }

  /// The names of the sites in the vendor's documentation.
  static let regions = [
    "us1": "datadoghq.com", "us3": "us3.datadoghq.com", "us5": "us5.datadoghq.com",
    "eu": "datadoghq.eu", "eu1": "datadoghq.eu", "ap1": "ap1.datadoghq.com", "ap2": "ap2.datadoghq.com",
    "uk1": "uk1.datadoghq.com", "us1.datadoghq.com": "datadoghq.com", "eu1.datadoghq.eu": "datadoghq.eu",
    "gov": "ddog-gov.com", "us1-fed": "ddog-gov.com", "us2-fed": "us2.ddog-gov.com",
  ].mapValues(Site.init(known:))

  /// The site of a host: itself, or the domain that it is in.
  static func domain(of host: String) -> Site? {
    all.filter { host == $0.name || host.hasSuffix("." + $0.name) }.max { $0.name.count < $1.name.count }
  }

  /// The host without surrounding text.
  private static func host(in text: String) -> String {
    let isFiller = { (character: Character) in character.isWhitespace || character == "\"" || character == "'" }
    var text = text.trimmingPrefix(while: isFiller)
    for scheme in ["https://", "http://"] where text.hasPrefix(scheme) { text = text.dropFirst(scheme.count) }
    var host = text.prefix { $0 != "/" && $0 != ":" && !isFiller($0) }
    if host.last == "." { host.removeLast() }
    for name in ["app.", "api."] where host.hasPrefix(name) { host = host.dropFirst(name.count) }
    return String(host)
  }
}
