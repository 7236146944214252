/// Text that names no site, and what was probably meant.
package struct UnknownSite: Error, Sendable {
  package enum Meaning: Hashable, Sendable {
    /// A typo of this one.
    case typo(Site)
    /// A name in this site's domain, perhaps an organisation's own.
    case subdomain(of: Site)
    /// Nothing similar, or two that are equally similar.
    case unclear
  }

  package let meaning: Meaning

  init(_ name: String) {
    if let site = Site.domain(of: name) {
      meaning = Self.isRegion(name, in: site) ? .unclear : .subdomain(of: site)
    } else {
      meaning = Self.nearest(to: name).map { .typo($0) } ?? .unclear
    }
  }

  /// What to write instead.
  package var hint: String {
    let all = "the sites are " + Site.all.map(\.name).joined(separator: ", ")
    return switch meaning {
    case .typo(let site): "did you mean \(site.name)? \(all.prefix(1).uppercased())\(all.dropFirst())"
    case .subdomain(let site): "this is an organisation's own subdomain; if its site is \(site.name), use that"
    case .unclear: all
    }
  }

  /// `us4.datadoghq.com` is a region that does not exist, and `us5.datadoghq.eu` is two, not an organisation.
  private static func isRegion(_ name: String, in site: Site) -> Bool {
    let label = name.dropLast(site.name.count + 1)
    if Site.regions[String(label)] != nil { return true }
    return label.count == 3 && label.last?.isNumber == true
      && ["us", "eu", "ap", "uk"].contains(String(label.prefix(2)))
  }

  /// The most wrong letters for a name still to be a typo. Without a dot there is no domain to be near to.
  private static func mistakes(in name: String) -> Int { name.contains(".") ? 3 : 1 }

  private static func nearest(to name: String) -> Site? {
    let ranked = Site.all.map { (site: $0, distance: distance($0.name, name)) }.sorted { $0.distance < $1.distance }
    guard ranked[0].distance <= mistakes(in: name), ranked[0].distance < ranked[1].distance else { return nil }
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
