import RateLimit
import RegistrationCore
import Testing

@Suite struct LimitNewsTests {
  private func limit(_ name: String?, _ count: Int, _ period: Double = 60, _ source: LimitStanding.Source = .headers)
    -> KnownLimit
  {
    KnownLimit(name: name, allowance: Allowance(count: count, period: period), source: source)
  }

  @Test func eachChangeIsToldOnce() {
    var news = LimitNews()
    #expect(news.news(of: [limit("a", 400)]).limits.count == 1)
    #expect(news.news(of: [limit("a", 400)]).limits.isEmpty)
    #expect(news.news(of: [limit("a", 200)]).limits == [limit("a", 200)])
    #expect(news.news(of: [limit("a", 200, 3_600)]).limits.count == 1)
  }

  @Test func whatAnEarlierRunToldIsNoNews() {
    var news = LimitNews(told: [limit("a", 400), limit(nil, 100, 60, .learned)])
    #expect(news.news(of: [limit(nil, 105, 60, .learned)]).limits.isEmpty)
    #expect(news.news(of: [limit("a", 400)]).limits.isEmpty)
    #expect(news.news(of: [limit("a", 200)]).limits == [limit("a", 200)])
  }

  @Test func limitsThatGovernByTurnsAreNotNewEachTime() {
    var news = LimitNews()
    #expect(news.news(of: [limit("a", 400), limit("b", 100, 10)]).limits.count == 2)
    for _ in 0..<5 {
      #expect(news.news(of: [limit("b", 100, 10), limit("a", 400)]).limits.isEmpty)
      #expect(news.news(of: [limit("a", 400)]).limits.isEmpty)
    }
  }

  /// After a change of period the old limit is obeyed for a while, too.
  @Test func twoLimitsOfOneNameAreNotNewEachTime() {
    var news = LimitNews()
    #expect(news.news(of: [limit("a", 600)]).limits.count == 1)
    #expect(news.news(of: [limit("a", 600), limit("a", 600, 20)]).limits == [limit("a", 600, 20)])
    for _ in 0..<5 { #expect(news.news(of: [limit("a", 600), limit("a", 600, 20)]).limits.isEmpty) }
    #expect(news.news(of: [limit("a", 600, 20)]).limits.isEmpty)
    #expect(news.news(of: [limit("a", 600)]).limits.count == 1)
  }

  @Test func aLimitThatIsFoundOutStepByStepIsToldSeldom() {
    var news = LimitNews()
    var lines = 0
    for count in 200...900 { lines += news.news(of: [limit(nil, count, 60, .learned)]).limits.count }
    #expect((2...8).contains(lines))
    #expect(news.news(of: [limit(nil, 900, 60, .headers)]).limits.count == 1)
  }

  @Test func inventedNamesAreSummarised() {
    var news = LimitNews()
    var lines = 0
    var changes = 0
    for number in 0..<10_000 {
      let found = news.news(of: [limit("invented-\(number)", number)])
      lines += found.limits.count
      changes += found.limits.count + found.untold
    }
    #expect(lines <= 32 + 9)
    // The last that was told speaks for all before it.
    #expect(changes == 8_192)
  }

  @Test func aLimitThatChangesWithEveryReplyIsSummarised() {
    var news = LimitNews()
    var lines = 0
    for number in 0..<10_000 { lines += news.news(of: [limit("a", number % 2 == 0 ? 100 : 200)]).limits.count }
    #expect(lines <= 32 + 9)
  }
}
