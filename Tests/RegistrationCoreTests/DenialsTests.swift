import Registration
import Testing

@testable import RegistrationCore

struct DenialsTests {
  /// What differs from reply to reply is no part of what the API says.
  @Test(arguments: [
    (
      "404 Not Found: app key not found (request 3f1c2a90-aaaa-4bbb-8ccc-1234567890ab)",
      "not found app key not found request"
    ),
    ("400: app key of another organisation, trace 81237", "app key of another organisation trace"),
    ("400: key ending in ABCDEF is not yours", "key ending in is not yours"),
    ("409: Conflict; id=0a1b2c", "conflict id"),
    ("400: rule broken, trace Qk+xZr/PmVtWcaLB==", "rule broken trace"),
    ("400: rule broken, trace YWjkPQzuRtGh_mNx", "rule broken trace"),
    ("400: read/write is off for this Organisation", "read/write is off for this organisation"),
  ])
  func refusalsAreComparedWithoutIdsAndNumbers(text: String, words: String) {
    #expect(Denials.words(text) == words)
  }

  private func charge(_ row: Int64, _ detail: String) -> Charge {
    Charge(
      job: Job(key: CoreBench.key(row), order: Int(row), sentAt: CoreBench.start),
      fault: RequestFault(status: 400, title: "Bad Request", detail: detail))
  }

  /// Another organisation's keys, of which the API says two things.
  @Test func refusalsInOtherWordsInBetweenDoNotHideThatEverybodyIsRefused() {
    var denials = Denials.unproven(Denials.Streak())
    var asked = 0
    for row in 1...100 {
      asked += 1
      let (settled, isShared) = denials.note(
        charge(Int64(row), row % 3 == 0 ? "the key is being changed" : "not yours"), now: 0)
      #expect(settled.isEmpty)
      if isShared { break }
    }
    // Two of three.
    #expect(asked == 29 && denials.kept.count == 29)
  }

  @Test func whatTheOperatorAcceptsIsOneMessage() {
    var denials = Denials.unproven(Denials.Streak())
    denials.accept(charge(1, "org 17 is not allowed").fault)
    for row in 1...40 {
      let (settled, isShared) = denials.note(charge(Int64(row), "org 18 is not allowed"), now: 0)
      #expect(settled.count == 1 && !isShared)
    }
    // A hold for another cause in between changes nothing.
    #expect(denials.interrupt().isEmpty)
    #expect(denials.note(charge(41, "org 17 is not allowed"), now: 0).settled.count == 1)
    let shared = (1...40).first { denials.note(charge(Int64(100 + $0), "the key is locked"), now: 0).isShared }
    #expect(shared == Denials.suspicious)
  }

  @Test func anAPIThatSaysSomethingElseOfEachKeyTellsThemApart() {
    var denials = Denials.unproven(Denials.Streak())
    let words = ["too old", "too young", "too long", "too short", "too plain", "too fancy"]
    let settled = (1...60).map { row in
      let (settled, isShared) = denials.note(charge(Int64(row), words[row % words.count]), now: 0)
      #expect(!isShared)
      return settled.count
    }
    #expect(settled.reduce(0, +) + denials.kept.count == 60 && denials.kept.count < 20)
  }

  /// Each of 24 lists of one key becomes due when the last one has been refused.
  @Test func listsOfOneKeyThatAreAllRefusedHoldAndNoneFails() {
    var bench = CoreBench(keys: 0)
    var now = 0.0
    for row: Int64 in 1...24 {
      bench.keys[row] = CoreBench.key(row)
      _ = bench.take(.keysChanged, now: now)
      let sends = bench.tick(now: now).sends
      guard let job = sends.first else { break }
      bench.commit(bench.reply(refusal, to: job, now: now).results, now: now)
      bench.commit(bench.tick(now: now).results, now: now)
      now += Denials.lull * 0.9
    }
    #expect(bench.core.holds.hold?.reason == .refused)
    #expect(bench.outcomes.isEmpty && bench.keys.count == Denials.suspicious + 1)
  }

  @Test func aFewRefusedKeysFailOnceNoOtherComesForAMoment() {
    var bench = CoreBench(keys: 3)
    for _ in 1...3 {
      for job in bench.tick(now: 0).sends { bench.commit(bench.reply(refusal, to: job, now: 0).results, now: 0) }
    }
    let still = bench.tick(now: 0)
    #expect(still.results.isEmpty && still.wake == Denials.lull)
    bench.commit(bench.tick(now: Denials.lull).results, now: Denials.lull)
    #expect(bench.outcomes.count == 3)
  }

  private let refusal = Verdict.failed(status: 400, title: "Bad Request", detail: "not yours")
}
