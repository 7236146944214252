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
      let label = String(name.dropLast(site.name.count + 1))
      if let region = Self.region(label), region == site || region.name.hasSuffix("." + site.name) {
        meaning = .typo(region)
      } else {
        meaning = Self.isRegion(label) ? .unclear : .subdomain(of: site)
      }
    } else {
      meaning = (Self.region(name) ?? Self.nearest(to: name)).map { .typo($0) } ?? .unclear
    }
  }

  private static let sites = "the sites are " + Site.all.map(\.name).joined(separator: ", ")

  /// What to write instead.
  package var hint: String {
    let all = Self.sites
    return switch meaning {
    case .typo(let site): "did you mean \(site.name)? \(all.prefix(1).uppercased())\(all.dropFirst())"
    case .subdomain(let site): "this is an organisation's own subdomain; if its site is \(site.name), use that"
    case .unclear: all
    }
  }

  /// The only region that `label` can mean: `us-5`, or the beginning of a name, such as `uk`.
  private static func region(_ label: String) -> Site? {
    let plain = label.filter { $0 != "-" && $0 != "_" }
    guard plain.count > 1, Site.regions[label] == nil else { return nil }
    let names = Site.regions.filter { $0.key.filter { $0 != "-" }.hasPrefix(plain) }
    let exact = names.first { $0.key.filter { $0 != "-" } == plain }?.value
    return exact ?? (Set(names.values).count == 1 ? names.first?.value : nil)
  }

  /// `us4.datadoghq.com` and `fr1.datadoghq.com` are regions that do not exist, and `us5.datadoghq.eu` is two; none is
  /// an organisation.
  static func isRegion(_ label: String) -> Bool {
    if Site.regions[label] != nil { return true }
    let letters = label.prefix { $0.isLetter }
    let rest = label.dropFirst(letters.count)
    return letters.count == 2 && rest.count <= 3 && rest.allSatisfy { $0.isNumber || $0 == "-" }
  }

  /// Maximum wrong letters for a name still to be a typo. Without a dot there is no domain to be near to.
  private static func mistakes(in name: String) -> Int { name.contains(".") ? 3 : 1 }

  private static func nearest(to name: String) -> Site? {
    let ranked = Site.all.map { (site: $0, distance: distance($0.name, name)) }.sorted { $0.distance < $1.distance }
    guard ranked[0].distance <= mistakes(in: name), ranked[0].distance < ranked[1].distance,
      ranked[0].distance == 1 || hasSameParts(name, ranked[0].site)
    else { return nil }
    return ranked[0].site
  }

  /// Whether `name` differs from the site in letters only: `datadoghq.eu.com`, `datadoghq.uk` and `uk2.datadog.com` may
  /// mean another site, or none.
  private static func hasSameParts(_ name: String, _ site: Site) -> Bool {
    let (parts, others) = (name.split(separator: "."), site.name.split(separator: "."))
    guard parts.count == others.count, let last = parts.last, let otherLast = others.last else { return false }
    // Only the sites of this domain differ in their ending.
    let isOneOfTwo = site.name.hasSuffix("datadoghq.\(otherLast)")
    let isSimilar = last.sorted() == otherLast.sorted() || distance(String(last), String(otherLast)) < 2
    return (isSimilar || !isOneOfTwo) && (parts.count < 3 || parts[0] == others[0] || !isRegion(String(parts[0])))
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
