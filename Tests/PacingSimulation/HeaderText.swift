// A simulated reply as HTTP headers, for scenarios that also test reading them.

import Foundation
import RateLimit

enum HeaderText {
  static func headers(_ reply: ServerReply) -> [(name: String, value: String)] {
    var headers = [(name: "Date", value: date(reply.date))]
    let add = { (name: String, value: Double?) in
      if let value { headers.append((name, String(Int(value)))) }
    }
    add("X-RateLimit-Limit", reply.limit.map(Double.init))
    add("x-ratelimit-period", reply.period)
    add("X-RATELIMIT-REMAINING", reply.remaining.map(Double.init))
    add("X-RateLimit-Reset", reply.reset)
    if let (value, isDate) = reply.retryAfter {
      headers.append(("Retry-After", isDate ? date(value) : String(Int(value))))
    }
    return headers
  }

  static func date(_ epoch: Double) -> String {
    var seconds = time_t(epoch)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let two = { (value: Int32) in value < 10 ? "0\(value)" : "\(value)" }
    return "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1_900) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
  }
}
