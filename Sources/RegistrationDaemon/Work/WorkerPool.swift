import Dispatch
import Logging
import RegistrationAPI
import RegistrationCore
import RegistrationQueue
import Synchronization

/// The workers around the core: passes events to the core, and has its actions carried out.
///
/// Workers, the recorder, the feeder and the alarm post their news and go on. Everything that has collected is passed to
/// the core in a batch: by a worker that has a reply, if no other thread is doing it, or else by a serial queue. So a worker
/// usually gets its next request without switching threads, and no worker ever waits for a decision.
package final class WorkerPool: Sendable {
  let queue: RegistrationQueue
  private let shell: Mutex<Shell>
  private let inbox: Inbox
  private let executor: Executor
  private let canceller: Canceller
  private let workers: [Worker]
  private let log: Logger
  private let changed: @Sendable () -> Void

  /// - Parameters:
  ///   - settled: Called after each commit that may have finished a list, on the recorder's queue.
  ///   - changed: Called after every change that status shows.
  ///   - broken: Called once when the queue can no longer be used.
  init(
    queue: RegistrationQueue, shell: Shell, version: String, log: Logger, settled: @escaping @Sendable () -> Void,
    changed: @escaping @Sendable () -> Void, broken: @escaping @Sendable (QueueError) -> Void
  ) {
    self.queue = queue
    self.shell = Mutex(shell)
    self.log = log
    self.changed = changed
    workers = (0..<Worker.most).map { Worker(number: $0, version: version) }
    canceller = Canceller(queue: queue, settled: settled)
    inbox = Inbox(serial: DispatchQueue(label: "keyreg.core"))
    executor = Executor(queue: queue, inbox: inbox, log: log, settled: settled, broken: broken)
    inbox.open { @Sendable [weak self] in self?.drain() }
  }

  /// Passes what was posted to the core, and has its actions carried out.
  package func drain() {
    finish(shell.withLock { drain(&$0) })
  }

  /// Posts `event` and processes it before returning.
  func tell(_ event: Event) {
    inbox.put(Inbox.Mail(.event(event)))
    drain()
  }

  /// Replaces the settings here and in the core in one step: no request is sent with settings of another epoch.
  ///
  /// - Parameter news: Makes the event for the core from the settings that were in force.
  func replace(_ settings: APISettings, news: (APISettings) -> Event) {
    finish(
      shell.withLock { shell in
        inbox.put(Inbox.Mail(.event(news(shell.settings))))
        shell.apply(settings)
        return drain(&shell)
      })
  }

  /// Looks at the shell, or changes it.
  func withShell<Result: Sendable>(_ body: (inout Shell) -> Result) -> Result {
    let result = shell.withLock { body(&$0) }
    drainRest()
    return result
  }

  private func finish(_ requests: [Assignment]) {
    handOut(requests)
    drainRest()
    changed()
  }

  /// Processes what others posted while they could not take the lock. Everyone who has held it checks again afterwards,
  /// so nothing is left behind and nobody waits.
  private func drainRest() {
    while inbox.hasMail {
      guard let requests = shell.withLockIfAvailable({ drain(&$0) }) else { return }
      handOut(requests)
    }
  }

  /// Passes what was posted to the core, then `own`, and has the actions carried out. Returns the requests.
  private func drain(_ shell: inout Shell, and own: Inbox.Mail? = nil) -> [Assignment] {
    let news = inbox.takeAll()
    var actions = news.flatMap { shell.take($0) }
    if let own { actions += shell.take(own) }
    let moment = Moment.now()
    actions += shell.tick(open: queue.tally.open, at: moment)
    canceller.look(after: news.contains(where: \.isCommit), shell.core.ledger, in: self)
    return executor.carryOut(actions, &shell, at: moment)
  }

  private func handOut(_ requests: [Assignment]) {
    for request in requests {
      workers[request.worker].work(on: request) { @Sendable [self] exchange, job in
        next(request.worker, after: exchange, of: job)
      }
    }
  }

  /// A worker has a reply. Returns its next request, if there is one right away.
  private func next(_ worker: Int, after exchange: Exchange, of job: Job) -> Assignment? {
    defer { changed() }
    log.exchange(exchange, of: job.key.id)
    let mail = Inbox.Mail(.exchange(exchange, order: job.order, worker: worker))
    guard let requests = shell.withLockIfAvailable({ drain(&$0, and: mail) }) else {
      inbox.put(mail)
      drainRest()
      return nil
    }
    handOut(requests.filter { $0.worker != worker })
    drainRest()
    return requests.first { $0.worker == worker }
  }

  /// Calls `done` once the recorder, the feeder and the core have each had a turn.
  package func heartbeat(_ done: @escaping @Sendable () -> Void) {
    executor.afterwards { @Sendable [self] in
      drain()
      done()
    }
  }
}
