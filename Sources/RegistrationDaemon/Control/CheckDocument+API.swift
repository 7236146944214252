package import ControlAPI
package import RegistrationAPI

extension CheckDocument {
  /// Makes one call to the API that changes nothing. Blocks for as long as that takes.
  package init(_ settings: APISettings, version: String) {
    let check: OnlineCheck
    do {
      check = try RegistrationClient(settings, version: version).onlineCheck()
    } catch {
      check = OnlineCheck(error, at: settings.endpoint)
    }
    self.init(result: Result(check.result), message: check.message, hint: check.hint)
  }
}

extension CheckDocument.Result {
  fileprivate init(_ result: OnlineCheck.Result) {
    self =
      switch result {
      case .accepted: .accepted
      case .limited: .limited
      case .refused: .refused
      case .unavailable: .unavailable
      }
  }
}
