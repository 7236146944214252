import Testing

@testable import RegistrationCore

struct RequestFaultTests {
  private static let cases: [(status: Int?, title: String, detail: String?, summary: String)] = [
    (503, "Service Unavailable", "upstream is down", "503 Service Unavailable: upstream is down"),
    (503, "Service Unavailable", nil, "503 Service Unavailable"),
    (403, "Forbidden", "forbidden", "403 Forbidden"),
    (503, "Service Unavailable", "503 Service Unavailable", "503 Service Unavailable"),
    (503, "Service Unavailable", "503 service unavailable nginx", "503 Service Unavailable: nginx"),
    (404, "No", "No key of that name", "404 No: No key of that name"),
    (404, "No", "404 None", "404 No: 404 None"), (nil, "TLS refused", "expired", "TLS refused: expired"),
  ]

  @Test(arguments: cases)
  func aSummaryRepeatsNothing(status: Int?, title: String, detail: String?, summary: String) {
    #expect(RequestFault(status: status, title: title, detail: detail).summary == summary)
  }
}
