@testable import RateLimit

/// The pacer under replies that make no sense: it never traps, never waits longer than two months, and sends again.
///
/// The input is a sequence of replies with an empty line after each. The first two bytes of each are its kind and how much
/// time passes before it, the rest are headers.
func fuzzPacer(_ bytes: [UInt8]) {
  let kinds: [PacedReply.Kind] = [
    .answered, .answered, .throttled, .refused, .serverError, .unanswered, .unsent, .throttled,
  ]
  let spans: [Seconds] = [0, 0.01, 0.1, 1, 10, 100, 3_600, 100_000]
  let first = bytes.first ?? 0
  let settings = PacerSettings(
    workers: 1 + Int(first & 7), reserve: first & 8 == 0 ? .automatic : .share(0.5),
    assume: first & 16 == 0 ? nil : Allowance(count: 10, period: 60))
  var now: Seconds = 1_000
  var pacer = Pacer(settings: settings, learned: nil, seed: UInt64(first), now: now)
  var permits: [Permit] = []
  let replies = Array(bytes.dropFirst()).split(separator: [10, 10], maxSplits: 40).map { record in
    let reading = RateLimitReading(headers: parse(record.dropFirst(2)).headers, body: Array(record), wallClock: 1.8e9)
    return (
      kind: kinds[Int(record[record.startIndex] & 7)], span: spans[Int((record.dropFirst().first ?? 0) & 7)], reading
    )
  }
  for round in 0..<3 {
    for (kind, span, reading) in replies {
      now += span
      step(&pacer, &permits, &now)
      guard !permits.isEmpty else { continue }
      let permit = permits.remove(at: round % permits.count)
      pacer.receive(PacedReply(kind: kind, reading: reading), for: permit, now: now)
    }
  }
  for permit in permits { pacer.receive(PacedReply(kind: .unanswered), for: permit, now: now) }
  permits = []
  var waits = 0
  while permits.isEmpty {
    step(&pacer, &permits, &now)
    waits += 1
    require(waits < 20_000, "the pacer stands still at \(now): \(pacer.obeyed)")
  }
}

private func step(_ pacer: inout Pacer, _ permits: inout [Permit], _ now: inout Seconds) {
  let decision = pacer.next(now: now, backlog: 100)
  switch decision {
  case .send: permits.append(pacer.send(now: now))
  case .wait(let until):
    require(until > now && until - now <= 2 * 2_678_400 + 3_000, "a wait of \(until - now) s")
    if permits.isEmpty { now = until }
  case .awaitReply: require(!permits.isEmpty, "a wait for a reply to nothing")
  }
  let standing = pacer.standing(now: now, backlog: 100)
  require((standing.remaining ?? 0) >= 0 && standing.reserved >= 0, "a negative number left")
  require((standing.etaSeconds ?? 0) >= 0 && (standing.resetsIn ?? 0) >= 0, "a negative time")
}
