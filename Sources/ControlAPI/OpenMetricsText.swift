/// Writes the OpenMetrics 1.0.0 text format: https://prometheus.io/docs/specs/om/open_metrics_spec/
struct OpenMetricsText {
  static let contentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

  enum Kind: String {
    case gauge, counter, histogram, info
  }

  private var text = ""
  private var name = ""

  /// Begins a family; the samples that follow belong to it. A unit must be the end of the name.
  mutating func family(_ name: String, _ kind: Kind, unit: String? = nil, help: String) {
    self.name = name
    text += "# TYPE \(name) \(kind.rawValue)\n"
    if let unit { text += "# UNIT \(name) \(unit)\n" }
    text += "# HELP \(name) \(Self.escape(help))\n"
  }

  mutating func sample(_ value: Int, suffix: String = "", labels: KeyValuePairs<String, String> = [:]) {
    write(suffix, labels, String(value))
  }

  mutating func sample(_ value: Double, suffix: String = "", labels: KeyValuePairs<String, String> = [:]) {
    write(suffix, labels, Self.number(value))
  }

  /// The buckets, each with all that is below it, then the sum and the count.
  mutating func histogram(_ histogram: MetricsSnapshot.Histogram) {
    var total = 0
    for (bound, count) in zip(histogram.bounds, histogram.counts) {
      total += count
      sample(total, suffix: "_bucket", labels: ["le": Self.number(bound)])
    }
    total = histogram.counts.reduce(0, +)
    sample(total, suffix: "_bucket", labels: ["le": "+Inf"])
    sample(histogram.sum, suffix: "_sum")
    sample(total, suffix: "_count")
  }

  /// The whole text with its end mark.
  func finished() -> String { text + "# EOF\n" }

  private mutating func write(_ suffix: String, _ labels: KeyValuePairs<String, String>, _ value: String) {
    text += name + suffix
    if !labels.isEmpty {
      text += "{" + labels.map { "\($0)=\"\(Self.escape($1))\"" }.joined(separator: ",") + "}"
    }
    text += " \(value)\n"
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return String(value)
  }

  /// As label values and help texts are escaped.
  private static func escape(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
