// How long the backlog will take. With windows, what matters is how many more must begin. The estimate counts them,
// each with what others leave of it, and adds the time to send the rest in the last one.

/// Tokens that we can take from a limit.
struct Supply {
  /// From this window, or in stock.
  var now: Double
  /// Seconds until more come.
  var wait: Seconds
  /// In each further period.
  var tokens: Double
  var period: Seconds
  /// They come one by one, not in windows.
  var isContinuous = false
}

struct Forecast {
  var seconds: Seconds

  /// Tokens that a period gives at least, however much others take: otherwise the estimate has no end.
  private static let fewestTokens = 0.1

  /// - Parameters:
  ///   - supply: Of the tightest limit.
  ///   - roundTrip: A typical one, in seconds.
  init(backlog: Int, supply: Supply, workers: Int, roundTrip: Seconds) {
    let service = roundTrip / Double(max(1, workers))
    let backlog = Double(backlog)
    if backlog <= 0 {
      seconds = 0
    } else if backlog <= supply.now {
      seconds = backlog * service + roundTrip
    } else {
      let later = backlog - supply.now
      let each = max(Self.fewestTokens, supply.tokens)
      if supply.isContinuous {
        seconds = max(later / each * supply.period, backlog * service) + roundTrip
      } else {
        let windows = (later / each).rounded(.up)
        // A window may be too short for the workers to use up.
        let period = max(supply.period, each * service)
        seconds = supply.wait + (windows - 1) * period + (later - (windows - 1) * each) * service + roundTrip
      }
    }
  }
}
