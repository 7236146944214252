// The part of the log that swift-log sees: a value with its own metadata over one shared output.

import Logging

/// Hands the events of one logger to the shared output.
struct LogOutputHandler: LogHandler {
  private let output: LogOutput
  /// Set only when this logger was given a level; otherwise the output's level applies, which a reload can change.
  private var ownLevel: Logger.Level?

  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  init(output: LogOutput) {
    self.output = output
  }

  var logLevel: Logger.Level {
    get { ownLevel ?? output.level }
    set { ownLevel = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var merged = metadata
    if let provided = metadataProvider?.get() { merged.merge(provided) { _, later in later } }
    if let own = event.metadata { merged.merge(own) { _, later in later } }
    if let error = event.error, merged["error"] == nil { merged["error"] = "\(error)" }
    output.write(level: event.level, message: event.message.description, metadata: merged)
  }
}
