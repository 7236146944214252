/// Writes metrics as text, in one of the two forms that scrapers read.
struct OpenMetricsText {
  /// The form of a text, named in `Content-Type`.
  enum Form {
    /// OpenMetrics 1.0.0: https://prometheus.io/docs/specs/om/open_metrics_spec/
    case openMetrics
    /// Prometheus' older one: https://prometheus.io/docs/instrumenting/exposition_formats/
    case classic

    /// The form for an `Accept` field: OpenMetrics for a scraper that asks for it and does not prefer plain text. Everybody
    /// else gets what `promtool check metrics` reads.
    init(accept: String?) {
      let weights = Self.weights(accept ?? "")
      let plain = weights["text/plain"] ?? 0
      self =
        switch weights["application/openmetrics-text"] {
        case let weight?: weight == 0 || plain > weight ? .classic : .openMetrics
        case nil: .classic
        }
    }

    /// The media types of an `Accept` field with their weights (RFC 9110, section 12.5.1).
    private static func weights(_ field: String) -> [String: Double] {
      var weights: [String: Double] = [:]
      for range in field.lowercased().split(separator: ",") {
        let parts = range.split(separator: ";").map { part in part.filter { $0 != " " && $0 != "\t" } }
        guard let type = parts.first else { continue }
        let weight = parts.first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
        weights[type] = weight ?? 1
      }
      return weights
    }

    var contentType: String {
      switch self {
      case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
      case .classic: "text/plain; version=0.0.4; charset=utf-8"
      }
    }
  }

  enum Kind: String {
    case gauge, counter, histogram, info
    /// A counter whose name without `_total` is that of another family.
    case unknown
  }

  private let form: Form
  private var text = ""
  private var name = ""

  init(_ form: Form) {
    self.form = form
  }

  /// Begins a family; the samples that follow belong to it. A unit must be at the end of the name.
  mutating func family(_ name: String, _ kind: Kind, unit: String? = nil, help: String) {
    self.name = name
    switch form {
    case .openMetrics:
      text += "# TYPE \(name) \(kind.rawValue)\n"
      if let unit { text += "# UNIT \(name) \(unit)\n" }
      text += "# HELP \(name) \(Self.escape(help))\n"
    case .classic:
      // There, families are named after their samples, and the kinds have other names.
      let (name, kind) =
        switch kind {
        case .counter: (name + "_total", "counter")
        case .info: (name + "_info", "gauge")
        case .unknown: (name, "counter")
        case .gauge, .histogram: (name, kind.rawValue)
        }
      text += "# HELP \(name) \(Self.escape(help))\n# TYPE \(name) \(kind)\n"
    }
  }

  mutating func sample(_ value: Int, suffix: String = "", labels: KeyValuePairs<String, String> = [:]) {
    write(suffix, labels, String(value))
  }

  mutating func sample(_ value: Double, suffix: String = "", labels: KeyValuePairs<String, String> = [:]) {
    write(suffix, labels, Self.number(value))
  }

  /// The buckets, each including all smaller ones, then the sum and the count.
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

  /// The whole text, with an end marker if the form has one.
  func finished() -> String { form == .openMetrics ? text + "# EOF\n" : text }

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

  /// Escaping for label values and help texts.
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
