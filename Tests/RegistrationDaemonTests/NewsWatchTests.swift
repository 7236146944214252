import ControlAPI
import Registration
import Testing

@testable import RegistrationDaemon

/// What operators are told, and how often.
struct NewsWatchTests {
  private static let start = Timestamp(milliseconds: 1_795_693_460_000)

  private static func status(at seconds: Double, holdingSince: Double? = nil, blocked: Int = 0) -> StatusDocument {
    StatusDocument(
      version: "1", pid: 1, startedAt: start, now: start.adding(seconds: seconds),
      state: holdingSince == nil ? .working : .holding, reason: "401 Unauthorized",
      lists: .init(blocked: blocked), hold: holdingSince == nil ? nil : .credentials,
      since: start.adding(seconds: holdingSince ?? 0))
  }

  private static func file(_ name: String, _ state: UnreadDocument.State) -> UnreadDocument {
    UnreadDocument(name: name, state: state, reason: "no key", hint: "mend it")
  }

  @Test func aHoldIsToldOnceWhenItHasLasted() {
    var watch = NewsWatch()
    func told(_ seconds: Double, since: Double) -> Int {
      watch.news(Self.status(at: seconds, holdingSince: since), holdAfter: 600) { [] }.count
    }
    let counts = [
      told(10, since: 0), told(600, since: 0), told(700, since: 0), told(900, since: 800), told(1_400, since: 800),
    ]
    #expect(counts == [0, 1, 0, 0, 1])
  }

  @Test func onlyListsThatCannotBeReadAreToldFromTheStatus() {
    var watch = NewsWatch()
    func told(_ seconds: Double) -> [String?] {
      watch.news(Self.status(at: seconds, blocked: 1), holdAfter: 600) {
        [Self.file("a", .blocked), Self.file("b", .rejected), Self.file("c", .ignored)]
      }.map(\.list)
    }
    let lists = [told(0), told(60), told(62)]
    #expect(lists == [[], ["a"], []])
  }

  @Test func aListMayBeUnreadableForAMoment() {
    var watch = NewsWatch()
    func told(_ seconds: Double) -> [Announcement.Event] {
      watch.news(Self.status(at: seconds, blocked: 1), holdAfter: 600) { [Self.file("a", .blocked)] }.map(\.event)
    }
    let events = [told(2), told(30), told(62), told(64)]
    #expect(events == [[], [], [.listBlocked], []])
  }
}
