// How long the backlog will take. In windows what counts is how many more windows are begun, so the estimate counts them,
// each with what others leave of it, and adds the time to send the rest of the last one.

/// Tokens that a limit will bring us.
struct Supply {
  /// Of this window, or in stock.
  var now: Double
  /// Seconds until more come.
  var wait: Seconds
  /// Of each further period.
  var tokens: Double
  var period: Seconds
  /// They come one by one, not with a window.
  var isContinuous = false
}

struct Forecast {
  var seconds: Seconds

  /// - Parameters:
  ///   - supply: of the tightest limit.
  ///   - roundTrip: a usual one, in seconds.
  init(backlog: Int, supply: Supply, workers: Int, roundTrip: Seconds) {
    let service = roundTrip / Double(max(1, workers))
    let backlog = Double(backlog)
    if backlog <= 0 {
      seconds = 0
    } else if backlog <= supply.now {
      seconds = backlog * service + roundTrip
    } else {
      let later = backlog - supply.now
      let each = max(0.1, supply.tokens)
      if supply.isContinuous {
        seconds = max(later / each * supply.period, backlog * service) + roundTrip
      } else {
        let windows = (later / each).rounded(.up)
        // A window may be too short for the workers to use it up.
        let period = max(supply.period, each * service)
        seconds = supply.wait + (windows - 1) * period + (later - (windows - 1) * each) * service + roundTrip
      }
    }
  }
}
