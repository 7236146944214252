import Glibc
import Systemd
import TestSupport
import Testing

struct ServiceNotifierTests {
  private let folder: TemporaryFolder
  private let name: String
  private let receiver: NotifyReceiver
  private let notifier: ServiceNotifier

  init() throws {
    folder = try TemporaryFolder()
    name = folder.path("notify")
    receiver = try NotifyReceiver(name)
    notifier = ServiceNotifier(socketName: name)
  }

  @Test func readyCarriesItsStatusInOneMessage() {
    notifier.ready(status: "0 of 10 keys")
    #expect(receiver.next() == "READY=1\nSTATUS=0 of 10 keys")
    #expect(receiver.next() == nil)
  }

  @Test func eachChangeIsSaidOnceAndInOrder() {
    notifier.ready()
    notifier.watchdog()
    notifier.stopping()
    notifier.status("draining")
    #expect(receiver.next() == "READY=1")
    #expect(receiver.next() == "WATCHDOG=1")
    #expect(receiver.next() == "STOPPING=1")
    #expect(receiver.next() == "STATUS=draining")
    #expect(receiver.next() == nil)
  }

  @Test func reloadSendsTheMonotonicTimeInMicroseconds() throws {
    var before = timespec()
    clock_gettime(CLOCK_MONOTONIC, &before)
    notifier.reloading()
    let lines = try #require(receiver.next()).split(separator: "\n")
    #expect(lines.first == "RELOADING=1")
    let value = try #require(lines.last?.split(separator: "=").last.flatMap { Int($0) })
    let start = before.tv_sec * 1_000_000 + before.tv_nsec / 1000
    #expect((start...start + 60_000_000).contains(value))
    #expect(lines.last?.hasPrefix("MONOTONIC_USEC=") == true)
  }

  @Test func aStatusCannotForgeAnotherAssignment() {
    notifier.status("list\nREADY=1\u{1b}[2J\u{2028}x")
    #expect(receiver.next() == "STATUS=list\\u{a}READY=1\\u{1b}[2J\\u{2028}x")
  }

  @Test func aLongStatusIsCut() throws {
    notifier.status(String(repeating: "x", count: 100_000))
    #expect(try #require(receiver.next()).count == "STATUS=".count + 301)
  }

  @Test func moreTimeIsAskedForInMicroseconds() {
    notifier.extendTimeout(seconds: 1.5)
    notifier.extendTimeout(seconds: 0)
    notifier.extendTimeout(seconds: -1)
    notifier.extendTimeout(seconds: .nan)
    notifier.extendTimeout(seconds: .infinity)
    #expect(receiver.next() == "EXTEND_TIMEOUT_USEC=1500000")
    #expect(receiver.next() == "EXTEND_TIMEOUT_USEC=31622400000000")
    #expect(receiver.next() == nil)
  }

  @Test func abstractSocketsAreReached() throws {
    let name = "@keyreg-test-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    let receiver = try NotifyReceiver(name)
    ServiceNotifier(socketName: name).ready()
    #expect(receiver.next() == "READY=1")
  }

  @Test func aFullSocketNeitherBlocksNorLosesReadiness() throws {
    let waiting = try NotifyReceiver.fill(name)
    notifier.ready(status: "up")
    notifier.status("this one may be lost")
    for _ in 0..<waiting { #expect(receiver.next() == "x") }
    #expect(receiver.next() == nil)
    notifier.watchdog()
    notifier.watchdog()
    #expect(receiver.next() == "READY=1\nSTATUS=up\nWATCHDOG=1")
    #expect(receiver.next() == "WATCHDOG=1")
  }

  @Test func aReceiverThatComesBackUnderTheSameNameIsReached() throws {
    let path = folder.path("again")
    let notifier = ServiceNotifier(socketName: path)
    notifier.ready()
    let receiver = try NotifyReceiver(path)
    notifier.status("here")
    #expect(receiver.next() == "READY=1\nSTATUS=here")
  }

  @Test(arguments: [
    nil, "", "@", "/", "notify", "vsock:2:1234", "/" + String(repeating: "x", count: 107),
    "@" + String(repeating: "x", count: 107),
  ])
  func aNameThatCannotBeServedMakesASilentNotifier(name: String?) {
    let notifier = ServiceNotifier(socketName: name)
    notifier.ready(status: "up")
    #expect(receiver.next() == nil)
  }

  @Test func takingTheEnvironmentSpeaksToItsSocketAndUnsetsIt() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let receiver = try NotifyReceiver(folder.path("notify"))
      setenv("NOTIFY_SOCKET", folder.path("notify"), 1)
      let notifier = ServiceNotifier.takingEnvironment()
      #expect(getenv("NOTIFY_SOCKET") == nil)
      notifier.ready()
      #expect(receiver.next() == "READY=1")
      ServiceNotifier.takingEnvironment().ready()
      #expect(receiver.next() == nil)
    }
  }
}
