import Dispatch
import Logging
import Registration
import RegistrationAPI
import RegistrationCore
import RegistrationQueue

/// Logs the core's notices in their order, and stores what a restart must not forget.
final class NoticeReporter: Sendable {
  private let queue: RegistrationQueue
  private let recorder: Recorder
  private let log: Logger
  private let serial = DispatchQueue(label: "keyreg.notices")

  init(queue: RegistrationQueue, recorder: Recorder, log: Logger) {
    self.queue = queue
    self.recorder = recorder
    self.log = log
  }

  /// Returns at once.
  func report(_ notice: Notice) { serial.async { @Sendable [self] in write(notice) } }

  private func write(_ notice: Notice) {
    switch notice {
    case .holdBegan(let hold):
      log.warning(
        "holding: only probes are sent",
        metadata: ["reason": "\(hold.reason.rawValue)", "detail": "\(hold.sentence(now: hold.since))"])
    case .holdEnded(let reason): log.notice("the hold is over", metadata: ["reason": "\(reason.rawValue)"])
    case .diskHoldBegan(let fault):
      log.error("holding: nothing is sent", metadata: ["reason": "disk", "detail": "\(fault.detail)"])
    case .diskHoldEnded: log.notice("the hold is over", metadata: ["reason": "disk"])
    case .limitsChanged(let limits, let untold):
      for limit in limits {
        var metadata: Logger.Metadata = [
          "limit": "\(limit.allowance)", "name": "\(PrintableText.escape(limit.name ?? "-"))",
          "from": "\(limit.source.rawValue)",
        ]
        if untold > 0 { metadata["changes_not_told"] = "\(untold)" }
        log.notice("the rate limit changed", metadata: metadata)
      }
    case .askedToWait(let asked): recorder.afterwards { @Sendable [self] in keep(asked) }
    }
  }

  private func keep(_ asked: AskedToWait?) {
    do {
      try queue.keep(asked)
    } catch {
      // Only a restart needs it; a failing disk shows as soon as there is an outcome to write.
      log.warning("the delay that the server asked for could not be saved", metadata: ["detail": "\(error)"])
    }
  }
}

extension Logger {
  func exchange(_ exchange: Exchange, of key: AppKeyID) {
    debug(
      "exchange",
      metadata: [
        "key": "\(key)", "status": "\(exchange.status ?? 0)",
        "milliseconds": "\(Int(exchange.duration * 1_000))", "answer": "\(exchange.verdict.trouble ?? "registered")",
      ].merging(exchange.diagnostics.map { ($0.name, "\($0.value)") }) { first, _ in first })
  }
}
