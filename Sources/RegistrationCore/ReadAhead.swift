import RateLimit

/// Whether keys are being read.
enum ReadAhead: Sendable {
  case idle
  /// A read has been asked for. `after`: the fault of the one before it.
  case underWay(after: DiskFault?)
  /// The last read failed. It is not repeated at once.
  case failed(DiskFault, again: Seconds)

  /// Seconds before a failed read is tried again.
  static let againAfter: Seconds = 1

  /// Why keys cannot be read; nil while they can.
  var fault: DiskFault? {
    switch self {
    case .idle: nil
    case .underWay(let fault): fault
    case .failed(let fault, _): fault
    }
  }

  /// When the next read may be asked for; nil while one is under way.
  var nextRead: Seconds? {
    switch self {
    case .idle: -.infinity
    case .underWay: nil
    case .failed(_, let again): again
    }
  }
}
