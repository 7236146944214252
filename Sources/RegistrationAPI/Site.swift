/// A Datadog site, by the name that its operators know it by, and the host of its API.
///
/// Source: the vendor's list of sites; `uk1` is newer than most clients.
package struct Site: Hashable, Sendable {
  package let name: String

  package static let standard = Site(known: "datadoghq.com")

  /// Every site, in the order they are offered.
  package static let all = [
    "datadoghq.com", "us3.datadoghq.com", "us5.datadoghq.com", "datadoghq.eu", "ap1.datadoghq.com", "ap2.datadoghq.com",
    "uk1.datadoghq.com", "ddog-gov.com", "us2.ddog-gov.com",
  ].map(Site.init(known:))

  package var apiHost: String { "api." + name }
  package var apiURL: String { "https://" + apiHost }

  private init(known name: String) {
    self.name = name
  }

  /// Reads a site's name, with or without `app.` before it, in any letter case. Throws `UnknownSite`.
  package init(_ text: some StringProtocol) throws(UnknownSite) {
    var name = text.lowercased()
    if name.hasPrefix("app.") { name.removeFirst(4) }
    guard let site = Self.all.first(where: { $0.name == name }) else {
      throw UnknownSite(text: String(text), nearest: Self.nearest(to: name))
    }
    self = site
  }

  private static func nearest(to name: String) -> Site {
    all.min { distance($0.name, name) < distance($1.name, name) } ?? standard
  }

  /// Levenshtein's distance: the fewest characters to insert, delete or replace.
  private static func distance(_ one: String, _ other: String) -> Int {
    let other = Array(other.prefix(64))
    var row = Array(0...other.count)
    for (line, character) in one.enumerated() {
      var diagonal = row[0]
      row[0] = line + 1
      for column in other.indices {
        let replaced = diagonal + (other[column] == character ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
      }
    }
    return row[other.count]
  }
}

package struct UnknownSite: Error, Sendable {
  package let text: String
  package let nearest: Site
}
