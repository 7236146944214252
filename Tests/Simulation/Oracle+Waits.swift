// Attempts that are counted, and keys that wait for another.

import RateLimit
import Registration

extension Oracle {
  /// Failures in a row that are counted at most before a canary is asked, from the design.
  private static let mostCharged = 40
  /// Keys in a row that are put off at most while the API answers for no other.
  private static let mostPutOff = 3
  /// The longest wait for another attempt, in seconds, and how far a wait may be off, since times are in milliseconds.
  private static let longestDelay: Seconds = 300
  private static let rounding: Seconds = 0.002
  /// Seconds before a second look.
  private static let secondLook: ClosedRange<Seconds> = 30...33

  /// An attempt counts once another is answered.
  func brokenCharge(_ known: Words, _ fairness: Fairness, wait: Seconds, _ what: String) -> Violation? {
    switch known.last {
    case .unsettled, .unanswered: break
    default:
      return Violation(promise: "only failures cost an attempt", detail: "\(what): \(String(describing: known.last))")
    }
    if !fairness.wasOpen { return Violation(promise: "a hold charges nobody", detail: what) }
    if uncounted.count > Self.mostCharged {
      return Violation(promise: "an outage charges nobody", detail: "\(uncounted.count) attempts without an answer")
    }
    if wait < known.lastWait - Self.rounding || wait > max(Self.longestDelay, known.lastWait) + Self.rounding {
      return Violation(
        promise: "a key waits as long as it must", detail: "\(what): \(wait.shown) s, asked \(known.lastWait.shown) s")
    }
    return nil
  }

  /// A key is put off: it stopped everything before, and another's answer showed that it alone was the trouble.
  mutating func brokenPutOff(_ row: Int64, _ known: Words, wait: Seconds, _ what: String) -> Violation? {
    let promise = "only a key that stopped others is put off"
    switch known.last {
    case .unauthorized, .forbidden, .misdirected, .unsettled, .unanswered: break
    default: return Violation(promise: promise, detail: "\(what): \(String(describing: known.last))")
    }
    guard let first = known.firstTrouble, spoke.contains(where: { $0.row != row && $0.order > first }) else {
      return Violation(promise: promise, detail: "\(what): nobody else was answered since")
    }
    putOff += 1
    if putOff > Self.mostPutOff {
      return Violation(promise: promise, detail: "\(what): the \(putOff). in a row")
    }
    if wait < 1 - Self.rounding || wait > Self.longestDelay + Self.rounding {
      return Violation(promise: "a key waits as long as it must", detail: "\(what): put off \(wait.shown) s")
    }
    return nil
  }

  /// A key that the API does not know gets a second look, but no third.
  func brokenLook(_ known: Words, wait: Seconds, isSecond: Bool, _ what: String) -> Violation? {
    let promise = "only an unknown key gets a second look"
    guard case .failed(404, _, _) = known.last else {
      return Violation(promise: promise, detail: "\(what): \(String(describing: known.last))")
    }
    if isSecond { return Violation(promise: promise, detail: "\(what): a third one") }
    guard wait >= Self.secondLook.lowerBound - Self.rounding, wait <= Self.secondLook.upperBound + Self.rounding else {
      return Violation(promise: "a key waits as long as it must", detail: "\(what): a second look in \(wait.shown) s")
    }
    return nil
  }
}
