import ControlAPI
import Registration
import Synchronization
import Testing

@testable import keyreg

/// What a person sees, column by column.
struct TerminalTests {
  @Test func widthsAreThoseOfATerminal() {
    for (text, columns) in [
      ("", 0), ("abc", 3), ("äöü", 3), ("e\u{301}", 1), ("漢字", 4), ("한글", 4), ("🔑", 2), ("█░…", 3),
      ("\u{1B}[31mred\u{1B}[0m", 3),
    ] { #expect(ShownText.columns(text) == columns, "\(text)") }
  }

  @Test func textIsCutByColumns() {
    #expect(ShownText.cut("abcdef", to: 6) == "abcdef")
    #expect(ShownText.cut("abcdef", to: 5) == "abcd…")
    #expect(ShownText.cut("abcdef", to: 5, ellipsis: "...") == "ab...")
    #expect(ShownText.cut("漢字漢字", to: 6) == "漢字…")
    #expect(ShownText.cut("\u{1B}[31mabcdef\u{1B}[0m", to: 4) == "\u{1B}[31mabc\u{1B}[0m…")
    #expect(ShownText.padded("漢", to: 4) == "漢  ")
  }

  @Test func theLocaleDecidesAboutBars() {
    #expect(TerminalStyle.isUnicode(["LANG": "de_DE.UTF-8"]) && TerminalStyle.isUnicode(["LC_ALL": "C.utf8"]))
    #expect(!TerminalStyle.isUnicode([:]) && !TerminalStyle.isUnicode(["LC_ALL": "C", "LANG": "de_DE.UTF-8"]))
    let plain = TerminalStyle(isUnicode: false)
    #expect(
      plain.bar(0.5, width: 4) == "##--" && plain.bar(1, width: 4) == "####" && plain.bar(0.999, width: 4) == "###-")
    #expect(plain.spark([0, 4, 8]) == "_~#")
    #expect(TerminalStyle().spark([0, 0]) == "▁▁")
  }

  private static func status(_ change: (inout StatusDocument) -> Void = { _ in }) -> StatusDocument {
    let now = Timestamp(milliseconds: 1_795_693_460_000)
    var status = StatusDocument(
      version: "0", pid: 1, startedAt: now, now: now, state: .holding,
      reason: String(repeating: "401 Unauthorized ", count: 20),
      keys: .init(pending: 123_456_789, inFlight: 16, retrying: 12_345, registered: 987_654_321, failed: 4_711),
      progress: .init(done: 1, fraction: 0.9999, perSecond: 6.6, etaSeconds: nil, etaFrom: nil),
      rateLimit: .init(
        name: "漢字_app_key_registrations", limit: 400, periodSeconds: 3_600, remaining: 31, resetsInSeconds: 120,
        reserved: 12, source: "headers", waitingSeconds: 22), hold: .credentials,
      lastError: .init(at: now, message: String(repeating: "x", count: 900)))
    change(&status)
    return status
  }

  @Test(arguments: [20, 50, 80, 200]) func noLineIsWiderThanTheTerminal(columns: Int) {
    for isUnicode in [true, false] {
      let style = TerminalStyle(isColoured: true, isUnicode: isUnicode, columns: columns)
      let view = StatusView(status: Self.status(), style: style, minutes: [Int](repeating: 3, count: 20))
      for line in view.block { #expect(ShownText.columns(line) <= columns, "\(line)") }
      let list = ListDocument(
        name: String(repeating: "漢", count: 60), id: 1, state: .active, bytes: 1, arrivedAt: .now(), etaAt: .now(),
        keys: .init(pending: 5_000_000, registered: 5_000_000, failed: 17))
      let lines = ListView(list: list, style: style).block + [ListView(list: list, style: style).row(name: columns / 3)]
      for line in lines { #expect(ShownText.columns(line) <= columns, "\(line)") }
    }
  }

  @Test func nothingIsCutWhereTheOutputIsNoTerminal() {
    let text = StatusView(status: Self.status()).block.joined(separator: "\n")
    #expect(text.contains(String(repeating: "x", count: 900)) && text.contains("2026-"))
    #expect(text.contains("99.9 %  holding: credentials since"))
  }

  @Test func everythingDoneIsAHundredPercent() {
    #expect(StatusView.percent(1) == "100.0 %" && StatusView.percent(0.99999) == "99.9 %")
    #expect(StatusView.percent(0) == "0.0 %")
  }

  @Test func afterAResizeNothingOfTheOldBlockRemains() throws {
    let written = Mutex("")
    let redraw = Redraw { text in written.withLock { $0 = text } }
    try redraw.draw([String(repeating: "a", count: 80), "b"], columns: 80)
    #expect(written.withLock { $0 }.hasPrefix("\r\u{1B}[J"))
    try redraw.draw(["c"], columns: 80)
    #expect(written.withLock { $0 }.hasPrefix("\u{1B}[2A\r\u{1B}[J"))
    try redraw.draw([String(repeating: "d", count: 80), "e"], columns: 80)
    // The terminal is narrower now, and has wrapped the first line into two.
    try redraw.draw(["f"], columns: 50)
    #expect(written.withLock { $0 } == "\u{1B}[3A\r\u{1B}[Jf\n")
  }

  @Test func theNearestWordIsTheOneThatWasMeant() {
    let words = ["status", "submit", "lists", "outcomes"]
    #expect(Nearest.word(to: "statsu", in: words) == "status" && Nearest.word(to: "list", in: words) == "lists")
    #expect(Nearest.word(to: "Outcome", in: words) == "outcomes")
    #expect(Nearest.word(to: "deploy", in: words) == nil && Nearest.word(to: "", in: words) == nil)
    // Two are as near.
    #expect(Nearest.word(to: "team-c", in: ["team-a", "team-b"]) == nil)
  }
}
