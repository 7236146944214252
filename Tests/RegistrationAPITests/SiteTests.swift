import RegistrationAPI
import Testing

@Suite struct SiteTests {
  @Test(arguments: [
    ("datadoghq.com", "api.datadoghq.com"), ("us3.datadoghq.com", "api.us3.datadoghq.com"),
    ("us5.datadoghq.com", "api.us5.datadoghq.com"), ("datadoghq.eu", "api.datadoghq.eu"),
    ("ap1.datadoghq.com", "api.ap1.datadoghq.com"), ("ap2.datadoghq.com", "api.ap2.datadoghq.com"),
    ("uk1.datadoghq.com", "api.uk1.datadoghq.com"), ("ddog-gov.com", "api.ddog-gov.com"),
    ("us2.ddog-gov.com", "api.us2.ddog-gov.com"),
  ])
  func everySiteReachesItsOwnHost(name: String, host: String) throws {
    #expect(try Site(name).apiHost == host)
    #expect(try Site("app." + name).apiURL == "https://" + host)
    #expect(try Site(name.uppercased()) == Site(name))
    #expect(Site.all.count == 9)
  }

  @Test(arguments: [
    ("datadoghq.con", "datadoghq.com"), ("us3.datadog.com", "us3.datadoghq.com"), ("datadoghq.ue", "datadoghq.eu"),
    ("ddog-gov.org", "ddog-gov.com"), ("app.ap1.datadoghq.co", "ap1.datadoghq.com"), ("us-5", "us5.datadoghq.com"),
    ("uk", "uk1.datadoghq.com"), ("us-5.datadoghq.com", "us5.datadoghq.com"), ("us3datadoghq.com", "us3.datadoghq.com"),
    ("uk.datadoghq.com", "uk1.datadoghq.com"),
  ])
  func aTypoNamesTheNearestSite(typo: String, nearest: String) throws {
    let error = try #require(throws: UnknownSite.self) { try Site(typo) }
    #expect(error.meaning == .typo(try Site(nearest)) && error.hint.contains("did you mean \(nearest)?"))
  }

  @Test(arguments: [
    ("https://app.datadoghq.eu/", "datadoghq.eu"), ("api.datadoghq.com", "datadoghq.com"),
    ("us5", "us5.datadoghq.com"), ("US1", "datadoghq.com"), ("eu", "datadoghq.eu"), ("ap2", "ap2.datadoghq.com"),
    ("https://api.us3.datadoghq.com:443/api/v2", "us3.datadoghq.com"), (" app.ddog-gov.com ", "ddog-gov.com"),
    ("us1.datadoghq.com", "datadoghq.com"), ("datadoghq.com.", "datadoghq.com"),
    ("http://uk1.datadoghq.com", "uk1.datadoghq.com"), ("\"datadoghq.eu\"", "datadoghq.eu"),
    ("'us5'", "us5.datadoghq.com"),
  ]) func aSiteIsMatchedByItsMeaning(text: String, name: String) throws {
    #expect(try Site(text).name == name)
  }

  @Test(arguments: [
    ("myorg.datadoghq.com", "datadoghq.com"), ("https://myorg.us3.datadoghq.com/", "us3.datadoghq.com"),
    ("my-org.datadoghq.eu", "datadoghq.eu"),
  ]) func anOrganisationsOwnSubdomainIsTakenForNoRegion(text: String, domain: String) throws {
    let error = try #require(throws: UnknownSite.self) { try Site(text) }
    #expect(error.hint == "this is an organisation's own subdomain; if its site is \(domain), use that")
  }

  @Test(arguments: [
    "us4.datadoghq.com", "ap3.datadoghq.com", "example.org", "", "production", "us9", "datadoghq", "us5.datadoghq.eu",
    "eu.datadoghq.com", "datadoghq.uk", "datadoghq.us", "datadoghq.fr", "datadoghq.ap", "datadoghq.net",
    "datadoghq.co.uk", "datadoghq.eu.com", "ap12", "ap", "fr1.datadoghq.com", "ap.datadoghq.com", "uk2.datadog.com",
    "us-5.datadoghq.eu",
  ])
  func whereNothingIsNearAllAreListed(text: String) throws {
    let error = try #require(throws: UnknownSite.self) { try Site(text) }
    #expect(error.meaning == .unclear)
    for site in Site.all { #expect(error.hint.contains(site.name)) }
  }
}

@Suite struct EndpointTests {
  @Test(arguments: [
    ("https://api.datadoghq.com/", "https://api.datadoghq.com"),
    ("https://gw.example:8443/dd", "https://gw.example:8443/dd"),
    ("http://127.0.0.1:80", "http://127.0.0.1:80"), ("http://localhost:1", "http://localhost:1"),
    ("http://[::1]:9", "http://[::1]:9"), ("http://127.8.9.10", "http://127.8.9.10"),
  ])
  func usableURLs(text: String, base: String) throws {
    #expect(try Endpoint(url: text).base == base)
  }

  @Test(arguments: [
    "/api", "/api/", "/API/v2", "/api/v1", "/api/v2", "/api/v2/actions/", "/api/v2/actions/app_key_registrations", "",
    "/api/v1/validate", "/api/v2/validate/", "/api/v2/actions/app_key_registrations/",
    "/", "/api/v2/actions/app_key_registrations/{app_key_id}",
    "/api/v2/actions/app_key_registrations/0b7d2c5e-3f1a-4c8b-9d6e-5a4b3c2d1e0f/",
  ]) func aPathOfTheAPIsOwnIsTakenOff(path: String) throws {
    #expect(try Endpoint(url: "http://127.0.0.1:80" + path).base == "http://127.0.0.1:80")
    #expect(try Endpoint(url: "https://gw.example/dd" + path).base == "https://gw.example/dd")
    #expect(try Endpoint(url: "https://api.us5.datadoghq.com" + path) == Endpoint(site: Site("us5")))
  }

  @Test(arguments: [
    ("https://app.datadoghq.com", "https://api.datadoghq.com"), ("https://datadoghq.eu/", "https://api.datadoghq.eu"),
    ("https://us5.datadoghq.com", "https://api.us5.datadoghq.com"),
    ("https://myorg.us3.datadoghq.com", "https://api.us3.datadoghq.com"),
    ("https://APP.DATADOGHQ.COM./api", "https://api.datadoghq.com"),
  ]) func theWebApplicationIsRefusedWithTheRightHost(url: String, right: String) throws {
    let error = try #require(throws: EndpointError.self) { try Endpoint(url: url) }
    #expect(error.description.contains(right))
  }

  @Test(arguments: [
    "https://api.eu1.datadoghq.com", "https://api.eu", "https://api.gov", "https://api.us9", "https://us4", "us5",
    "api.eu",
    "https://api.ap3.datadoghq.com", "https://api.us5.datadoghq.eu", "https://app.us9.datadoghq.com/api",
  ]) func whereNoAddressIsNearerAllAreListed(url: String) throws {
    let error = try #require(throws: EndpointError.self) { try Endpoint(url: url) }
    for site in Site.all { #expect(error.description.contains(site.apiURL), "\(error)") }
  }

  @Test(arguments: [
    "", "api.datadoghq.com", "http://example.org", "http://127.0.0.1.example.org", "http://127.1",
    "http://localhost.example",
    "ftp://api.datadoghq.com", "https://user:secret@api.datadoghq.com", "https://api.datadoghq.com/?a=b",
    "https://api.datadoghq.com/#x", "https://", "https://a b", "http://[::2]",
  ])
  func urlsThatWouldLeakOrCannotBeMeant(text: String) {
    #expect(throws: EndpointError.self) { try Endpoint(url: text) }
  }
}
