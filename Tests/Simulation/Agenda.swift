import RateLimit
import RegistrationCore

/// What will happen, by time; at the same time, in the order of insertion.
struct Agenda {
  /// Indirect, so that the heap moves pointers.
  indirect enum Happening {
    case incident(Int)
    case heal
    /// A process starts.
    case start
    /// The core gets it.
    case post(Event)
    /// The shell has taken all events of a batch.
    case tick
    /// A request reaches the endpoint that it was sent to.
    case arrive(row: Int64, order: Int, process: Int, endpoint: Int)
    case reply(ModelAPI.Reply, order: Int)
    case readKeys(KeyRead)
    /// The recorder takes the next group.
    case write
    /// The recorder's write has succeeded or was refused.
    case written
    case alarm(Int)
    case keepAsked(AskedToWait?)
    case operatorBelieves
    case cancel(CancelTurns.Turn)
  }

  struct Entry {
    var at: Seconds
    var number: Int
    /// Dropped when this process ends; nil for events outside it.
    var process: Int?
    var happening: Happening

    static func < (one: Entry, other: Entry) -> Bool { (one.at, one.number) < (other.at, other.number) }
  }

  private var heap: [Entry] = []
  private var count = 0

  var first: Entry? { heap.first }

  mutating func add(_ happening: Happening, at: Seconds, process: Int? = nil) {
    count += 1
    heap.append(Entry(at: at, number: count, process: process, happening: happening))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child] < heap[parent] else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func removeFirst() -> Entry? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] {
        least = child
      }
      guard least != parent else { return first }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  /// Whether anything of this kind is still to come for a process.
  func contains(process: Int, _ test: (Happening) -> Bool) -> Bool {
    heap.contains { ($0.process == nil || $0.process == process) && test($0.happening) }
  }
}
