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

  @Test func whatDoesNotFitIsFolded() {
    let text = "bad.txt  rejected  line 1: 漢字漢字 no key"
    #expect(FoldedText.lines(text, columns: 80, indent: 4) == [text])
    #expect(
      FoldedText.lines(text, columns: 19, indent: 4) == ["bad.txt  rejected", "    line 1:", "    漢字漢字 no key"])
    #expect(FoldedText.lines("  hint: abcdefgh", columns: 8, indent: 2) == ["  hint:", "  abcdef", "  gh"])
    #expect(FoldedText.lines("", columns: 8, indent: 2) == [""])
    #expect(FoldedText.lines("漢字", columns: 1, indent: 2) == ["漢字"])
    let style = TerminalStyle(columns: 8)
    #expect(style.fold("one two three four", indent: 2, most: 2) == ["one two", "  three…"])
    #expect(TerminalStyle().fold(text + text, indent: 2, most: 1) == [text + text])
  }

  /// What a hold says about what helps is at its end.
  @Test func theReasonIsShownWhole() throws {
    let status = Self.status { $0.reason = "401 Unauthorized since 11:44:20Z; check the keys, then run keyreg reload" }
    let block = StatusView(status: status, style: TerminalStyle(columns: 50)).block
    let start = try #require(block.firstIndex { $0.hasPrefix("why         401 Unauthorized since ") })
    #expect(block[start...].contains { $0.hasPrefix("            ") && $0.hasSuffix("reload") })
  }

  @Test func theStateIsShownWholeAtUsualWidths() {
    let bar = StatusView(status: Self.status(), style: TerminalStyle(columns: 80)).block[0]
    #expect(bar.contains("holding: credentials since ") && !bar.contains("…") && ShownText.columns(bar) == 80)
  }

  /// A person reads one clock only.
  @Test func timesInReasonsAreLocalOnATerminal() {
    let now = Timestamp(milliseconds: 1_795_693_460_000)
    let style = TerminalStyle(columns: 80)
    let time = now.adding(seconds: -60)
    let short = time.description.dropFirst(11)
    #expect(style.reason("401 since \(short) (1 min)", now: now) == "401 since \(style.time(time, now: now)) (1 min)")
    #expect(style.reason("at \(short.prefix(8))Z", now: now) == "at \(style.time(time, now: now))")
    let old = now.adding(seconds: -600_000)
    #expect(style.reason("503 since \(old)", now: now) == "503 since \(style.time(old, now: now))")
    #expect(TerminalStyle().reason("401 since \(short)", now: now) == "401 since \(short)")
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

  @Test func aTableTooWideForTheTerminalPutsItsLastCellsBelow() {
    var table = Table(["SETTING", "VALUE", "FROM"])
    table.add(["spool.directory", "/var/spool/keyreg", "default"])
    table.add(["workers", "16", "/etc/keyreg/keyreg.yaml:4:11"])
    for style in [TerminalStyle(columns: 80), TerminalStyle()] { #expect(table.lines(in: style) == table.lines) }
    let narrow = """
      SETTING          VALUE  FROM
      spool.directory  /var/spool/keyreg
          default
      workers          16
          /etc/keyreg/keyreg.yaml:4:11
      """
    #expect(table.lines(in: TerminalStyle(columns: 40)).joined(separator: "\n") == narrow)
    for columns in [20, 30] {
      let lines = table.lines(in: TerminalStyle(columns: columns))
      #expect(lines.allSatisfy { ShownText.columns($0) <= columns }, "\(lines)")
    }
  }

  @Test func nothingIsCutWhereTheOutputIsNoTerminal() {
    let text = StatusView(status: Self.status()).block.joined(separator: "\n")
    #expect(text.contains(String(repeating: "x", count: 900)) && text.contains("2026-"))
    #expect(text.contains("99.9 %  holding: credentials since"))
  }

  /// Keys of lists that are done count in neither number.
  @Test func aLineCountsWhatItsPercentageIsOf() {
    var status = Self.status()
    status.keys = StatusDocument.Keys(pending: 118, registered: 444)
    status.progress = StatusDocument.Progress(done: 82, fraction: 0.41, perSecond: 1)
    #expect(StatusView(status: status).line.hasPrefix("82 of 200 keys (41.0 %), "))
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
