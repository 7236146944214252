// Every cell of the gate's table: each state, and everything that can be done to it.

import Testing

@testable import RateLimit

@Suite struct GateTests {
  private static let asking = Gate.asking(.limit(1))
  /// Closed until 10, and then the first limit asks.
  private static let closed = Gate.closed(until: 10, then: .limit(1))
  /// Closed until 10, and then all go on.
  private static let paused = Gate.closed(until: 10, then: nil)

  private static func probing(_ then: Gate = .open) -> Gate { .probing(7, .limit(1), then: then) }

  private func after(_ gate: Gate, _ change: (inout Gate) -> Void) -> Gate {
    var gate = gate
    change(&gate)
    return gate
  }

  @Test func atFirstEveryoneAsks() {
    #expect(Gate.initial == .asking(.everyone))
  }

  @Test(arguments: [
    (Gate.open, Gate.closed(until: 20, then: .limit(2))),
    (asking, .closed(until: 20, then: .limit(2))),
    (closed, .closed(until: 20, then: .limit(2))),
    (paused, .closed(until: 20, then: .limit(2))),
    (.closed(until: 30, then: .limit(1)), .closed(until: 30, then: .limit(2))),
    (probing(), probing(.closed(until: 20, then: .limit(2)))),
    (probing(closed), probing(.closed(until: 20, then: .limit(2)))),
    (probing(asking), probing(.closed(until: 20, then: .limit(2)))),
  ])
  func aRefusalClosesItForTheLongestTimeAndTheLastLimitAsks(_ gate: Gate, _ expected: Gate) {
    #expect(after(gate) { $0.close(until: 20, for: .limit(2)) } == expected)
  }

  @Test(arguments: [
    (Gate.open, Gate.closed(until: 20, then: nil)),
    (asking, .closed(until: 20, then: .limit(1))),
    (closed, .closed(until: 20, then: .limit(1))),
    (paused, .closed(until: 20, then: nil)),
    (.closed(until: 30, then: nil), .closed(until: 30, then: nil)),
    (probing(), probing(.closed(until: 20, then: nil))),
    (probing(closed), probing(.closed(until: 20, then: .limit(1)))),
    (probing(asking), probing(.closed(until: 20, then: .limit(1)))),
  ])
  func aPauseChangesNothingButTheTime(_ gate: Gate, _ expected: Gate) {
    #expect(after(gate) { $0.pause(until: 20) } == expected)
  }

  @Test(arguments: [
    (Gate.open, Gate.asking(.limit(2))),
    (asking, .asking(.limit(2))),
    (closed, .closed(until: 10, then: .limit(2))),
    (paused, .closed(until: 10, then: .limit(2))),
    (probing(), probing(.asking(.limit(2)))),
    (probing(closed), probing(.closed(until: 10, then: .limit(2)))),
    (probing(asking), probing(.asking(.limit(2)))),
  ])
  func askingNeverOpensIt(_ gate: Gate, _ expected: Gate) {
    #expect(after(gate) { $0.ask(for: .limit(2)) } == expected)
  }

  @Test(arguments: [
    (Gate.open, Gate.open, false),
    (asking, .probing(9, .limit(1), then: .open), true),
    (closed, .probing(9, .limit(1), then: paused), true),
    (paused, paused, false),
    (probing(), probing(), false),
    (probing(closed), probing(closed), false),
    (probing(asking), probing(asking), false),
  ])
  func oneRequestAtATimeIsTheProbe(_ gate: Gate, _ expected: Gate, _ isProbe: Bool) {
    var gate = gate
    #expect(gate.pass(9) == isProbe)
    #expect(gate == expected)
  }

  @Test(arguments: [
    (Gate.open, Gate.open), (asking, asking), (closed, closed), (paused, paused),
    (probing(), .open), (probing(closed), closed), (probing(paused), paused), (probing(asking), asking),
  ])
  func theReplyToTheProbeLeavesWhatBecameOfItMeanwhile(_ gate: Gate, _ expected: Gate) {
    #expect(after(gate) { $0.answer(7) } == expected)
    #expect(after(gate) { $0.answer(8) } == gate)
  }

  @Test(arguments: [
    (Gate.open, Gate.open), (asking, asking), (closed, closed), (paused, paused),
    (probing(), asking), (probing(paused), closed),
    (probing(.closed(until: 10, then: .limit(2))), .closed(until: 10, then: .limit(2))),
    (probing(.asking(.limit(2))), .asking(.limit(2))),
  ])
  func aProbeThatNeverWentIsFollowedByAnother(_ gate: Gate, _ expected: Gate) {
    #expect(after(gate) { $0.withdraw(7) } == expected)
    #expect(after(gate) { $0.withdraw(8) } == gate)
  }

  @Test(arguments: [
    (Gate.open, Gate.open, Gate.open), (asking, asking, asking), (closed, closed, asking), (paused, paused, .open),
    (probing(), probing(), probing()), (probing(asking), probing(asking), probing(asking)),
    // Whoever waits for the probe's reply waits for the time to come as well.
    (probing(closed), closed, probing(closed)), (probing(paused), paused, probing(paused)),
  ])
  func aClosedGateOpensWhenItsTimeComes(_ gate: Gate, _ before: Gate, _ after: Gate) {
    #expect(gate.state(at: 9.9) == before)
    #expect(gate.state(at: 10) == after)
  }
}
