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
    ("ddog-gov.org", "ddog-gov.com"), ("app.ap1.datadoghq.co", "ap1.datadoghq.com"),
  ])
  func aTypoNamesTheNearestSite(typo: String, nearest: String) throws {
    let error = try #require(throws: UnknownSite.self) { try Site(typo) }
    #expect(error.nearest.name == nearest)
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
    "", "api.datadoghq.com", "http://example.org", "http://127.0.0.1.example.org", "http://127.1",
    "http://localhost.example",
    "ftp://api.datadoghq.com", "https://user:secret@api.datadoghq.com", "https://api.datadoghq.com/?a=b",
    "https://api.datadoghq.com/#x", "https://", "https://a b", "http://[::2]",
  ])
  func urlsThatWouldLeakOrCannotBeMeant(text: String) {
    #expect(throws: EndpointError.self) { try Endpoint(url: text) }
  }
}
