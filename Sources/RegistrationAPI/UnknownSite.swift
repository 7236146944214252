/// Text that names no site, and what was probably meant.
package struct UnknownSite: Error, Sendable {
  package enum Meaning: Hashable, Sendable {
    /// A typo of this one.
    case typo(Site)
    /// A name in this site's domain, which an organisation may have for itself.
    case subdomain(of: Site)
    /// Nothing that is near, or two that are equally so.
    case unclear
  }

  package let meaning: Meaning

  init(_ name: String) {
    if let site = Site.domain(of: name), !Self.isRegion(name, in: site) {
      meaning = .subdomain(of: site)
    } else {
      meaning = Self.nearest(to: name).map { .typo($0) } ?? .unclear
    }
  }

  /// What to write instead.
  package var hint: String {
    let all = "the sites are " + Site.all.map(\.name).joined(separator: ", ")
    return switch meaning {
    case .typo(let site): "did you mean \(site.name)? \(all.prefix(1).uppercased())\(all.dropFirst())"
    case .subdomain(let site): "an organisation's own subdomain; if its site is \(site.name), say that"
    case .unclear: all
    }
  }

  /// `us4.datadoghq.com` is a region that does not exist, not an organisation.
  private static func isRegion(_ name: String, in site: Site) -> Bool {
    let label = name.dropLast(site.name.count + 1)
    return label.count == 3 && label.last?.isNumber == true
      && ["us", "eu", "ap", "uk"].contains(String(label.prefix(2)))
  }

  /// Letters that may be wrong for a name still to be a typo.
  private static let mistakes = 3

  private static func nearest(to name: String) -> Site? {
    let ranked = Site.all.map { (site: $0, distance: distance($0.name, name)) }.sorted { $0.distance < $1.distance }
    guard ranked[0].distance <= mistakes, ranked[0].distance < ranked[1].distance else { return nil }
    return ranked[0].site
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
