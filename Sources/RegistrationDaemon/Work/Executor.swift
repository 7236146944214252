import Logging
import RegistrationCore
import RegistrationQueue

/// Carries out what the core asks for. Whoever does it posts the outcome to the inbox.
final class Executor: Sendable {
  /// The longest time for which the alarm is set, in seconds: clocks can jump.
  private static let longestWait = 30.0
  /// Seconds by which the alarm is late, so that the core is not asked a moment too early.
  private static let late = 0.0002

  private let recorder: Recorder
  private let feeder: Feeder
  private let reporter: NoticeReporter
  private let alarm: Alarm

  /// - Parameters:
  ///   - settled: Called after each commit that may have finished a list, on the recorder's queue.
  ///   - broken: Called when the queue can no longer be used.
  init(
    queue: RegistrationQueue, inbox: Inbox, log: Logger, settled: @escaping @Sendable () -> Void,
    broken: @escaping @Sendable (QueueError) -> Void
  ) {
    alarm = Alarm(label: "keyreg.pacer") { @Sendable _ in inbox.post(.alarm) }
    feeder = Feeder(queue: queue, report: { @Sendable in inbox.post($0) }, broken: broken)
    recorder = Recorder(queue: queue) { @Sendable report in
      switch report {
      case .recorded(let results):
        // First, so that a reader of the last result on disk also sees that the list's results are due.
        settled()
        inbox.post(.committed(results))
      case .refused(let error): inbox.post(.storeFailed(DiskFault(.results, error.description)))
      case .broken(let error): broken(error)
      }
    }
    reporter = NoticeReporter(queue: queue, recorder: recorder, log: log)
  }

  /// Carries out `actions`, apart from requests: those are returned, to be handed out when the lock is free again. Waking
  /// a thread takes as long as a decision.
  func carryOut(_ actions: [Action], _ shell: inout Shell, at moment: Moment) -> [Assignment] {
    var requests: [Assignment] = []
    for action in actions {
      switch action {
      case .send(let job): requests.append(shell.assign(job))
      case .record(let results): recorder.record(results)
      case .read(let read): feeder.feed(read)
      case .wake(let at): alarm.ring(in: min(max(0, at - moment.now) + Self.late, Self.longestWait))
      case .tell(let notice): reporter.report(notice)
      }
    }
    return requests
  }

  /// Calls `done` once the recorder and the feeder have each had a turn.
  func afterwards(_ done: @escaping @Sendable () -> Void) {
    recorder.afterwards { @Sendable [self] in feeder.afterwards(done) }
  }
}
