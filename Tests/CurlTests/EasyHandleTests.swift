import Foundation
import Synchronization
import Testing

@testable import Curl

/// Answers each connection on a loopback port with the same bytes, and keeps the requests.
final class FixedServer: Sendable {
  let port: UInt16
  private let listener: Int32
  private let asked = Mutex<[String]>([])

  /// - Parameters:
  ///   - closes: Whether the connection is closed after the answer; otherwise it stays open and silent.
  ///   - readsOneMore: Whether one more request is read before it is closed.
  convenience init(_ answer: String, closes: Bool = true, readsOneMore: Bool = false) throws {
    try self.init(bytes: Array(answer.utf8), closes: closes, readsOneMore: readsOneMore)
  }

  init(bytes answer: [UInt8], closes: Bool = true, readsOneMore: Bool = false) throws {
    let (listener, port) = try loopbackListener()
    self.listener = listener
    self.port = port
    DispatchQueue(label: "fixed server").async { @Sendable [self] in
      while true {
        let peer = accept(listener, nil, nil)
        guard peer >= 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(peer, &buffer, buffer.count)
        // A connection that ends silently requested nothing.
        if count > 0 { asked.withLock { $0.append(String(decoding: buffer.prefix(count), as: UTF8.self)) } }
        _ = send(peer, answer, answer.count, Int32(MSG_NOSIGNAL))
        if readsOneMore {
          let count = read(peer, &buffer, buffer.count)
          if count > 0 { asked.withLock { $0.append(String(decoding: buffer.prefix(count), as: UTF8.self)) } }
        }
        if closes { close(peer) }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  var requests: [String] { asked.withLock { $0 } }
  func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }
}

@Suite struct EasyHandleTests {
  private func request(_ server: FixedServer, _ method: String = "PUT") -> CurlRequest {
    var request = CurlRequest(method: method, url: server.url("/a"))
    request.headers = [("X-Test", "1"), ("Content-Length", "0")]
    return request
  }

  @Test func aPutWithoutABodyHasNoContentType() throws {
    let server = try FixedServer("HTTP/1.1 201 Created\r\nX-One: 1\r\nx-two:  2 \r\nContent-Length: 2\r\n\r\nok")
    let reply = try EasyHandle().perform(request(server))
    #expect(reply.status == 201 && reply.body == Array("ok".utf8))
    #expect(reply.headers["x-ONE"] == "1" && reply.headers["X-Two"] == "2")
    let asked = try #require(server.requests.first)
    #expect(asked.hasPrefix("PUT /a HTTP/1.1\r\n") && asked.contains("X-Test: 1"))
    #expect(!asked.lowercased().contains("content-type") && !asked.contains("Transfer-Encoding"))
  }

  @Test func redirectsAreNotFollowed() throws {
    let server = try FixedServer("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n")
    #expect(try EasyHandle().perform(request(server)).status == 302)
    #expect(server.requests.count == 1)
  }

  @Test func aLongBodyIsCutAndALongHeaderRefused() throws {
    let long = try FixedServer("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 200_000))
    var request = request(long)
    request.bodyLimit = 1_000
    let reply = try EasyHandle().perform(request)
    #expect(reply.body.count == 1_000 && reply.isBodyTruncated)
    let headers = try FixedServer(
      "HTTP/1.1 200 OK\r\n" + String(repeating: "X-A: \(String(repeating: "y", count: 1_000))\r\n", count: 100) + "\r\n"
    )
    let error = try #require(throws: CurlError.self) { try EasyHandle().perform(self.request(headers)) }
    #expect(error.kind == .protocolViolation)
  }

  /// A server may encode an answer where the request does not say that it must not.
  @Test func anEncodedBodyIsDecodedAndItsLimitHolds() throws {
    let encoded: [UInt8] = [
      31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 43, 74, 77, 207, 44, 46, 73, 45, 74, 77, 1, 0, 96, 225, 254, 75, 10, 0, 0, 0,
    ]
    let head = Array("HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n\r\n".utf8)
    let server = try FixedServer(bytes: head + encoded)
    var request = request(server)
    #expect(try EasyHandle().perform(request).body == Array("registered".utf8))
    request.bodyLimit = 8
    let cut = try EasyHandle().perform(request)
    #expect(cut.body == Array("register".utf8) && cut.isBodyTruncated)
    let broken = try FixedServer(bytes: head + encoded.reversed())
    let error = try #require(throws: CurlError.self) { try EasyHandle().perform(self.request(broken)) }
    #expect(error.kind == .protocolViolation && error.wasSent)
  }

  @Test func aSilentServerMeetsTheDeadline() throws {
    let server = try FixedServer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", closes: false)
    var request = request(server)
    request.timeout = 300
    let error = try #require(throws: CurlError.self) { try EasyHandle().perform(request) }
    #expect(error.kind == .timedOut)
  }

  @Test func halfAnAnswerIsNoAnswer() throws {
    let server = try FixedServer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    let error = try #require(throws: CurlError.self) { try EasyHandle().perform(request(server)) }
    #expect(error.kind == .interrupted)
  }

  @Test func nobodyThereIsUnreachable() throws {
    let server = try FixedServer("")
    let request = CurlRequest(method: "GET", url: "http://127.0.0.1:1/")
    let error = try #require(throws: CurlError.self) { try EasyHandle().perform(request) }
    #expect(error.kind == .unreachable)
    withExtendedLifetime(server) {}
  }

  /// libcurl repeats a request that got no answer on a kept-alive connection; the server has seen both.
  @Test(arguments: [(true, 24), (false, 5)])
  func aRequestIsSentAgainOnlyWhereThatIsWanted(isSentOnce: Bool, requests: Int) throws {
    let server = try FixedServer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", readsOneMore: true)
    let handle = try EasyHandle()
    var request = request(server)
    request.isSentOnce = isSentOnce
    var answered = 0
    for _ in 0..<requests {
      do {
        _ = try handle.perform(request)
        answered += 1
      } catch {
        #expect(error.kind == .stale && error.wasSent, "\(error.kind) \(error.code) \(error)")
      }
    }
    if isSentOnce {
      #expect(answered == 12 && server.requests.count == 24)
    } else {
      #expect(answered == 5 && server.requests.count == 9)
    }
  }

  /// A server that ends an idle connection says 408 (RFC 9110, section 15.5.9), and nobody has asked.
  @Test(arguments: [true, false]) func whatCameBeforeARequestIsNotItsAnswer(closes: Bool) throws {
    let server = try SpeakingServer(
      answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      unasked: "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", closes: closes)
    let handle = try EasyHandle()
    var request = CurlRequest(method: "PUT", url: "http://127.0.0.1:\(server.port)/")
    request.timeout = 20_000
    request.isSentOnce = true
    for number in 1...5 {
      #expect(try handle.perform(request).status == 200)
      server.speakUp()
      #expect(server.asked == number)
    }
  }

  @Test func aDistrustedConnectionIsNotUsedAgain() throws {
    let server = try SpeakingServer(answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", unasked: "", closes: false)
    let handle = try EasyHandle()
    let request = CurlRequest(method: "PUT", url: "http://127.0.0.1:\(server.port)/")
    for _ in 1...3 {
      #expect(try handle.perform(request).status == 200)
      handle.distrustConnection()
    }
    #expect(server.accepted == 3)
  }

  @Test func whatNeverLeftSaysSo() throws {
    for url in ["http://127.0.0.1:1/", "http://no-such-host.invalid/", "not a url"] {
      let error = try #require(throws: CurlError.self) {
        try EasyHandle().perform(CurlRequest(method: "PUT", url: url))
      }
      #expect(!error.wasSent, "\(url)")
    }
    let silent = try FixedServer("", closes: true)
    let error = try #require(throws: CurlError.self) { try EasyHandle().perform(request(silent)) }
    #expect(error.wasSent)
  }

  @Test func clearTextNeverGoesThroughAProxy() throws {
    let server = try FixedServer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    let handle = try EasyHandle(route: CurlRoute(proxy: "http://127.0.0.1:1"))
    #expect(try handle.perform(request(server)).status == 200)
  }

  @Test func aMissingAuthorityFileIsToldAtOnce() {
    #expect(throws: CurlError.self) { try EasyHandle(route: CurlRoute(caFiles: ["/nonexistent/ca.pem"])) }
  }

  @Test func aBodyIsSentOnceAndNotKeptForTheNextRequest() throws {
    let server = try FixedServer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    let handle = try EasyHandle()
    var post = CurlRequest(method: "POST", url: server.url())
    post.body = Array("payload".utf8)
    _ = try handle.perform(post)
    _ = try handle.perform(CurlRequest(method: "GET", url: server.url()))
    #expect(server.requests[0].hasSuffix("payload"))
    #expect(server.requests[1].hasPrefix("GET / ") && !server.requests[1].contains("payload"))
  }
}
