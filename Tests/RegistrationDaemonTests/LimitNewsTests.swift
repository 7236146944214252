import RateLimit
import RegistrationDaemon
import Testing

@Suite struct LimitNewsTests {
  private func limit(_ name: String?, _ count: Int, _ period: Double = 60, _ source: Standing.Source = .headers)
    -> KnownLimit
  {
    KnownLimit(name: name, allowance: Allowance(count: count, period: period), source: source)
  }

  @Test func eachChangeIsToldOnce() {
    var news = LimitNews()
    #expect(news.news(of: [limit("a", 400)]).count == 1)
    #expect(news.news(of: [limit("a", 400)]).isEmpty)
    #expect(news.news(of: [limit("a", 200)]) == [limit("a", 200)])
    #expect(news.news(of: [limit("a", 200, 3_600)]).count == 1)
  }

  @Test func limitsThatGovernByTurnsAreNotNewEachTime() {
    var news = LimitNews()
    #expect(news.news(of: [limit("a", 400), limit("b", 100, 10)]).count == 2)
    for _ in 0..<5 {
      #expect(news.news(of: [limit("b", 100, 10), limit("a", 400)]).isEmpty)
      #expect(news.news(of: [limit("a", 400)]).isEmpty)
    }
  }

  @Test func aLimitThatIsFoundOutStepByStepIsToldSeldom() {
    var news = LimitNews()
    var lines = 0
    for count in 200...900 { lines += news.news(of: [limit(nil, count, 60, .learned)]).count }
    #expect((2...8).contains(lines))
    #expect(news.news(of: [limit(nil, 900, 60, .headers)]).count == 1)
  }
}
