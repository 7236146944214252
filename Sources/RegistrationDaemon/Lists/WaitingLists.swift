import Spool

/// The lists that wait to be read, each once: posted ones in the order in which they came, then the others likewise.
struct WaitingLists {
  private var posted: [ReadyList] = []
  private var order: [ListName] = []
  /// The first one of `order` that still waits: removing from the front of a long array would copy it each time.
  private var first = 0
  private var lists: [ListName: ReadyList] = [:]

  var isEmpty: Bool { posted.isEmpty && first == order.count }

  /// A list that is already waiting keeps its place.
  mutating func add(_ list: ReadyList) {
    if let known = lists[list.name] {
      lists[list.name]?.isStill = known.isStill || list.isStill
    } else {
      lists[list.name] = list
      order.append(list.name)
    }
  }

  mutating func add(posted list: ReadyList) {
    posted.append(list)
  }

  mutating func nextPosted() -> ReadyList? {
    posted.isEmpty ? nil : posted.removeFirst()
  }

  mutating func next() -> ReadyList? {
    guard first < order.count else { return nil }
    let name = order[first]
    first += 1
    if first == order.count { (order, first) = ([], 0) }
    return lists.removeValue(forKey: name)
  }

  /// The next lists, at most `count`.
  mutating func next(_ count: Int) -> [ReadyList] {
    var lists: [ReadyList] = []
    while lists.count < count, let list = next() { lists.append(list) }
    return lists
  }

  mutating func removeAll() -> [ReadyList] {
    let all = posted + order[first...].compactMap { lists[$0] }
    self = WaitingLists()
    return all
  }
}
