import Logging
import Registration
import RegistrationAPI
import RegistrationCore

extension WorkerPool {
  /// Tells the journal, and keeps what a restart must not forget.
  func tell(_ notice: Notice) {
    switch notice {
    case .holdBegan(let hold):
      log.warning(
        "holding: only probes are sent",
        metadata: ["reason": "\(hold.reason.rawValue)", "detail": "\(hold.sentence(now: hold.since))"])
    case .holdEnded(let reason): log.notice("the hold is over", metadata: ["reason": "\(reason.rawValue)"])
    case .diskHoldBegan(let words):
      log.error("holding: nothing is sent", metadata: ["reason": "disk", "detail": "\(words)"])
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
      // Only a restart would want it; a disk that refuses shows as soon as there is an outcome to write.
      log.warning("what the server has asked for could not be kept", metadata: ["detail": "\(error)"])
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
