import RateLimit
import RegistrationCore

extension Shell {
  /// The shell of a daemon that starts now.
  init(access: APIAccess, pacer: PacerSettings, retry: RetryPolicy, earlier: EarlierRun) {
    var random = SystemRandomNumberGenerator()
    let moment = Moment.now()
    let core = Core(
      pacer: Pacer(
        settings: pacer, learned: earlier.learned, sent: earlier.sent.map { moment.now - $0 }, seed: random.next(),
        now: moment.now),
      holds: Holds(retry: retry, seed: random.next()),
      settings: access.coreSettings(pacer: pacer, retry: retry, change: .endpoint), pause: earlier.pause,
      asked: earlier.asked, told: earlier.evidence.limits, at: moment)
    self.init(
      core: core, settings: access.settings, evidence: earlier.evidence, workers: Worker.most,
      lastSuccess: earlier.lastSuccess, now: moment.now)
  }
}
