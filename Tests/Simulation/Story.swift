// What happened, in words for debugging, and as one number that distinguishes two runs.

import RateLimit
import Registration
import RegistrationCore

package struct Story: Sendable {
  package let isKept: Bool
  package private(set) var lines: [String] = []
  /// Of all that happened (FNV-1a).
  package private(set) var fingerprint: UInt64 = 0xcbf2_9ce4_8422_2325

  init(isKept: Bool) { self.isKept = isKept }

  private mutating func mix(_ words: UInt64...) {
    for word in words { fingerprint = (fingerprint ^ word) &* 0x100_0000_01b3 }
  }

  mutating func note(_ now: Seconds, _ text: @autoclosure () -> String) {
    mix(now.bitPattern, 1)
    if isKept { lines.append("\(now.shown)  \(text())") }
  }

  mutating func event(_ now: Seconds, _ event: Event) {
    mix(now.bitPattern, 2)
    guard isKept else { return }
    let text: String? =
      switch event {
      case .tick, .reply: nil
      case .alarm: "alarm"
      case .keys(let page):
        "read: \(page.keys.map(\.row).ranges)\(page.isAll ? ", all that are due" : "")\(page.nextDue.map { ", next at \($0.shown)" } ?? "")"
      case .committed(let results): "on disk: \(results.map(\.row).ranges)"
      case .keysChanged: "keys changed"
      case .settings(let settings): "settings\(settings.change == .none ? "" : ", other \(settings.change)")"
      case .believe: "operator believes"
      case .pause(let pause): pause == nil ? "resumed" : "paused"
      case .storeFailed(let fault): "disk refuses \(fault.store): \(fault.detail)"
      case .stop: "stop"
      }
    if let text { lines.append("\(now.shown)  \(text)") }
  }

  mutating func action(_ now: Seconds, _ action: Action) {
    switch action {
    case .send(let job): mix(now.bitPattern, 3, UInt64(job.key.row), UInt64(job.order))
    case .record(let results): for result in results { mix(now.bitPattern, 4, UInt64(result.row)) }
    case .read: mix(5)
    case .wake(let at): mix(6, at.bitPattern)
    case .tell: mix(7)
    }
    guard isKept else { return }
    let text: String =
      switch action {
      case .send(let job):
        "sends key \(job.key.row), request \(job.order)\(job.isProbe ? job.isKnownGood ? ", known canary" : ", canary" : "")"
      case .record(let results): "records " + results.map { Self.text($0, now: now) }.joined(separator: ", ")
      case .read(let read): "reads keys\(read.isSample ? " of all lists" : "")"
      case .wake(let at): "wakes at \(at.shown)"
      case .tell(.holdBegan(let hold)): "HOLD \(hold.reason.rawValue): \(hold.fault.summary)"
      case .tell(.holdEnded(let reason)): "hold over: \(reason.rawValue)"
      case .tell(.askedToWait(let asked)):
        asked.map { "asked to wait \($0.seconds.shown) s" } ?? "asked to wait no more"
      case .tell(.limitsChanged(let limits, _)): "limits: \(limits.map { "\($0.allowance)" })"
      case .tell(.diskHoldBegan): "HOLD disk"
      case .tell(.diskHoldEnded): "hold over: disk"
      }
    lines.append("\(now.shown)    → \(text)")
  }

  private static func text(_ result: KeyResult, now: Seconds) -> String {
    let delay = { (due: Timestamp) in due.seconds(since: result.at).shown }
    return switch result.decision {
    case .registered: "key \(result.row) registered"
    case .failed: "key \(result.row) FAILED \(result.errorTitle ?? "")"
    case .retry(let due): "key \(result.row) again in \(delay(due)) s"
    case .postpone(let due): "key \(result.row) put off \(delay(due)) s"
    case .lookAgain(let due): "key \(result.row) second look in \(delay(due)) s"
    case .charge: "an attempt of key \(result.row) counts"
    case .spare: "an attempt of key \(result.row) does not count"
    }
  }
}

extension [Int64] {
  /// `1-5, 9`.
  fileprivate var ranges: String {
    var parts: [ClosedRange<Int64>] = []
    for row in sorted() {
      if let last = parts.last, row == last.upperBound + 1 {
        parts[parts.count - 1] = last.lowerBound...row
      } else {
        parts.append(row...row)
      }
    }
    return parts.isEmpty
      ? "none"
      : parts.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
  }
}
