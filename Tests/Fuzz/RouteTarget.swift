import HTTPTypes
import Registration

@testable import ControlAPI
@testable import Spool

/// A request to the control socket: method, target and body on a line each. It is a route or a printable error; names and
/// values are what they were before they were encoded; a name that is accepted stays in its folder.
func fuzzRoutes(_ bytes: [UInt8]) {
  let lines = bytes.split(separator: 10, maxSplits: 2, omittingEmptySubsequences: false)
  let method = HTTPRequest.Method(lines[0].text) ?? .get
  let target = lines.count > 1 ? lines[1].text : ""
  let request = HTTPRequest(method: method, scheme: "http", authority: lines[0].text, path: target)
  told { try LoopbackGuard(host: "127.0.0.1").admit(request) }
  told {
    switch try ControlRoute(request) {
    case .lists(let query): require((1...ListQuery.longestPage).contains(query.limit) && query.after >= 0, "a page")
    case .outcomes(let query, _):
      require(query.limit.map { $0 > 0 } ?? true, "a limit")
      // What the client sends for the same question is the same question.
      let again = try ControlRoute(
        HTTPRequest(
          method: .get, scheme: nil, authority: nil, path: "/v1/outcomes?" + query.parameters.joined(separator: "&")))
      guard case .outcomes(let same, _) = again else { fatalError("another route") }
      require(same.list == query.list && same.error == query.error && same.limit == query.limit, "another question")
    case .list(let name), .cancel(let name), .set(let name, _):
      require(!name.isEmpty && !name.utf8.contains(0), "a name")
    case .submit(let name?, _, _), .preview(let name?, _): checkName(name)
    default: break
    }
  }
  if let text = String(validating: lines[0], as: UTF8.self), !text.utf8.contains(0) {
    require((try? PercentEncoding.decode(PercentEncoding.encode(text))) == text, "encoded and decoded is another text")
  }
  let name = ListName(of: FileName(bytes: Array(lines[0])))
  requirePrintable(name.text, "a list's name")
  require(!name.text.isEmpty || lines[0].isEmpty, "no name")
  require(name.text.utf8.count <= ListName.maximumLength, "a long name")
  guard lines.count > 2 else { return }
  let body = Array(lines[2])
  told { _ = try? DocumentCoding.decode(PauseRequest.self, from: body) }
  told {
    do {
      let retry = try DocumentCoding.decode(RetryRequest.self, from: body)
      let again = try DocumentCoding.decode(RetryRequest.self, from: DocumentCoding.encode(retry))
      require(again == retry, "another choice")
    } catch let error as ControlError {
      throw error
    } catch {}
  }
}

/// Errors are told to people.
private func told(_ body: () throws -> Void) {
  do {
    try body()
  } catch let error as ControlError {
    requirePrintable(error.message, "an error")
    requirePrintable(error.hint, "a hint")
  } catch {
    fatalError("\(error)")
  }
}

private func checkName(_ text: String) {
  guard let name = try? ListName(text) else { return }
  requirePrintable(name.text, "a list's name")
  require(name.text == text && !text.contains("/") && !text.hasPrefix("."), "a name that leaves its folder")
  require(!text.isEmpty && text.utf8.count <= ListName.maximumLength, "the length of a name")
}
