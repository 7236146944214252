/// How to process a list, as `keyreg submit` and `keyreg set` can specify it.
package struct ListTerms: Hashable, Sendable, Codable {
  package static let priorities = 0...9
  package static let usualPriority = 5
  /// Minimum finished keys before a list is stopped: of few keys, one failure would be a large share.
  package static let leastFinished = 50

  /// 0 to 9; lists of a higher priority go first.
  package var priority: Int
  /// The rest of the list is cancelled once more than this share of its finished keys has failed; from 0 to 1. Nil:
  /// never.
  package var stopAfter: Double?

  package init(priority: Int = usualPriority, stopAfter: Double? = nil) {
    self.priority = priority
    self.stopAfter = stopAfter
  }

  package var isUsual: Bool { self == ListTerms() }

  /// As options of `submit`: `--priority 7`.
  package var options: [String] {
    let stop = stopAfter.map { "--stop-after " + Self.describe(share: $0).filter { $0 != " " } }
    return (priority == Self.usualPriority ? [] : ["--priority \(priority)"]) + (stop.map { [$0] } ?? [])
  }

  /// The share in `5%` or `0.5 %`. Nil for anything else, and beyond 100 %.
  package static func share(_ text: String) -> Double? {
    guard text.last == "%" else { return nil }
    let digits = text.dropLast().filter { $0 != " " }
    guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let value = Double(digits),
      (0...100).contains(value)
    else { return nil }
    return value / 100
  }

  /// `5 %`, `0.5 %`.
  package static func describe(share: Double) -> String {
    let percent = (share * 100_000).rounded() / 1_000
    return percent == percent.rounded() ? "\(Int(percent)) %" : "\(percent) %"
  }
}

/// A change of a list's terms.
package struct ListTermsChange: Hashable, Sendable {
  package enum Stop: Hashable, Sendable {
    case never
    case after(Double)
  }

  /// Nil: stays.
  package var priority: Int?
  /// Nil: stays.
  package var stop: Stop?

  package init(priority: Int? = nil, stop: Stop? = nil) {
    self.priority = priority
    self.stop = stop
  }
}

extension ListTermsChange.Stop {
  /// Reads `5%` or `never`; nil for anything else.
  package init?(_ text: String) {
    if text == "never" {
      self = .never
    } else if let share = ListTerms.share(text) {
      self = .after(share)
    } else {
      return nil
    }
  }
}
