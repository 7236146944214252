// Endpoint and credentials of requests, and what a reply from before a change of either must not do.

import RateLimit
import RegistrationCore

/// One of two endpoints, and one of two credentials for each.
struct Access: Hashable, Sendable {
  static let endpoints = 0..<2

  private(set) var endpoint: Int
  private(set) var credentials: Int

  init(endpoint: Int, credentials: Int) {
    self.endpoint = endpoint
    self.credentials = credentials
  }

  /// As the queue numbers them.
  init(registrar: Int64) {
    self.init(endpoint: Int(registrar - 1) / 2, credentials: Int(registrar - 1) % 2)
  }

  var registrar: Int64 { Int64(1 + 2 * endpoint + credentials) }

  mutating func change(_ change: CoreSettings.Change) {
    switch change {
    case .none: break
    case .credentials: credentials = 1 - credentials
    case .endpoint: endpoint = 1 - endpoint
    }
  }
}

/// The core before the reply to a request that was sent with other credentials or to another endpoint than those in force.
/// Such a reply may say that its own key was registered there. It proves nothing about other keys, neither begins nor
/// ends a hold, and teaches no limit of another endpoint.
struct BeforeOldReply {
  private let job: Job
  private let isOpen: Bool
  private let hold: Hold?
  private let waiting: Int
  /// Nil if it was sent to the endpoint in force and only the credentials differ.
  private let learned: LearnedLimits?

  /// - Parameters:
  ///   - job: The request whose reply comes next; nil for any other event.
  ///   - epoch: Changes of credentials and endpoint so far.
  init?(_ job: Job?, _ core: Core, epoch: Int, endpoint: Int) {
    guard let job, job.epoch != epoch else { return nil }
    self.job = job
    isOpen = core.holds.isOpen
    hold = core.holds.hold
    waiting = core.holds.waiting
    let isElsewhere = job.registrar.map { Access(registrar: $0).endpoint != endpoint } ?? false
    learned = isElsewhere ? core.pacer.learned : nil
  }

  func broken(by core: Core) -> Violation? {
    let what = "key \(job.key.row), request \(job.order)"
    if core.holds.isOpen != isOpen || core.holds.hold != hold || core.holds.waiting != waiting {
      return Violation(promise: "an old endpoint's reply is no witness for the new one", detail: what)
    }
    if let learned, core.pacer.learned != learned {
      return Violation(promise: "an old endpoint teaches no limit of the new one", detail: what)
    }
    return nil
  }
}
