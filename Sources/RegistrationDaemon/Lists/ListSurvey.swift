import ControlAPI
import KeyList
import Registration
import RegistrationCore
import RegistrationQueue
import Spool

/// What importing a list would do, counted without importing it.
struct ListSurvey {
  private(set) var keys = PreviewDocument.Keys()
  private(set) var invalid: [InvalidLine] = []
  /// Keys that would be sent.
  private(set) var requests = 0
  private(set) var format: KeyListFormat?
  private(set) var isUnterminated = false

  private static let batchSize = 5_000
  /// Keys up to which repetitions are noticed: 32 bytes each.
  private static let remembered = 2_000_000

  /// - Parameters:
  ///   - states: The state of each key, nil for an unknown one.
  ///   - isForced: Registered keys would be sent again.
  ///
  /// Throws `KeyListError`, or what `states` throws.
  init(_ reader: KeyListReader, isForced: Bool, states: ([AppKeyID]) throws -> [KeyState?]) throws {
    var entries = ListEntries(reader, isKnown: false)
    var seen: Set<AppKeyID> = []
    var repeated: Int? = 0
    while true {
      let (batch, isLast) = try entries.batch(of: Self.batchSize) { false }
      keys.invalid += batch.invalid
      let fresh = batch.keys.filter { repeated == nil || seen.insert($0).inserted }
      repeated = repeated.map { $0 + batch.keys.count - fresh.count }
      if seen.count > Self.remembered { (repeated, seen) = (nil, []) }
      for state in try states(fresh) { add(state, isForced: isForced) }
      if isLast { break }
    }
    keys.duplicateInList = repeated
    (invalid, format, isUnterminated) = (entries.invalid, entries.format, entries.isUnterminated)
  }

  private mutating func add(_ state: KeyState?, isForced: Bool) {
    guard let state else {
      keys.new += 1
      requests += 1
      return
    }
    keys.known += 1
    switch state {
    case .registered:
      keys.registered += 1
      if isForced { requests += 1 }
    case .failed, .cancelled: requests += 1
    // It is sent anyway.
    case .pending, .retrying: break
    }
  }

  /// Why the list would be rejected, nil when it has a key.
  var rejection: Rejection? {
    keys.new + keys.known > 0
      ? nil : Rejection.noValidKey(invalid: invalid, invalidCount: keys.invalid)
  }
}

extension PreviewDocument {
  /// - Parameter pool: Tells the limit and what others leave of it.
  init(_ survey: ListSurvey, name: String?, bytes: Int, open: Int, pool: PoolSnapshot) {
    let standing = pool.standing
    var seconds: Int?
    var eta: Int?
    var shown: String?
    if let limit = standing.limit, let period = standing.period, limit > 0, period > 0 {
      let usable = Double(max(1, limit - standing.reserved))
      let own = Double(survey.requests) / usable * period
      let ahead = open == 0 ? 0 : standing.etaSeconds ?? Double(open) / usable * period
      (seconds, eta) = (Int(min(own, 1e9).rounded(.up)), Int(min(own + ahead, 1e9).rounded(.up)))
      shown = "\(limit)/\(DurationText.describe(milliseconds: Int(min(period, 1e9) * 1_000)))"
    }
    self.init(
      list: name, bytes: bytes, format: survey.format?.name ?? "text", column: survey.format?.column,
      keys: survey.keys,
      invalid: survey.invalid.map { Line(line: $0.line, text: $0.text, reason: "\($0.reason)") },
      isUnterminated: survey.isUnterminated, requests: survey.requests, seconds: seconds, etaSeconds: eta, limit: shown)
  }
}
