import Foundation
import Registration
import Secrets

@testable import RegistrationAPI

private let id = AppKeyID("00000000-0000-4000-8000-00000000000a")!
private let secrets = ["fuzz-api-key-5f3a", "fuzz-app-key-77c1"]
private let redaction = Redaction(
  of: secrets.compactMap { try? Secret($0.utf8, from: "fuzz") }, proxies: ["http://user:fuzz-proxy-pass@proxy:1"])
private let statuses = [200, 201, 204, 302, 400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 503, 100]

/// What a reply means. The first byte is the status and whether the body was cut, the rest is the body.
///
/// A key counts as registered, or as failed, only if another reader finds in the body what says so; and nothing of the
/// reply gets out that is a secret or not printable.
func fuzzAnswers(_ bytes: [UInt8]) {
  guard let first = bytes.first else { return }
  let status = statuses[Int(first & 15)]
  let isCut = first & 16 != 0
  let body = Array(bytes.dropFirst())
  let location = first & 32 != 0 ? body.prefix(80).text : nil
  let verdict = Verdict(
    status: status, body: body, isBodyTruncated: isCut, location: location, redaction: redaction, registering: id)
  let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
  switch verdict {
  case .registered(let said):
    let data = object?["data"] as? [String: Any]
    require(said == status && (status == 200 || status == 201) && !isCut, "registered by status \(status)")
    require((data?["id"] as? String).flatMap { AppKeyID($0) } == id, "registered without its id")
    require(data?["type"] as? String == "app_key_registration", "registered without the type")
  case .failed(let said, let title, let detail):
    require(said == status && [400, 404, 409, 410, 422].contains(status), "failed by status \(status)")
    require(object?["errors"] != nil, "failed without the API's word")
    check(title, detail)
  case .forbidden(let title, let detail):
    require(status == 403 && object?["errors"] != nil, "forbidden without the API's word")
    check(title, detail)
  case .unauthorized(let detail): check("", detail)
  case .misdirected(_, let title, let detail): check(title, detail)
  case .unsettled(_, let title, let detail): check(title, detail)
  default: break
  }
}

private func check(_ title: String?, _ detail: String?) {
  for text in [title, detail] {
    requirePrintable(text, "an answer")
    guard let text else { continue }
    require(text.unicodeScalars.count <= 8_000, "a long text")
    for secret in secrets + ["fuzz-proxy-pass"] { require(!text.contains(secret), "a secret got out") }
  }
}
