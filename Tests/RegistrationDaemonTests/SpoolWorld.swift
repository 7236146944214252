// A spool with writers of every kind, from one seed: they drop lists, write in place, append for as long as they hold a
// list open, write it anew, and take it away, at every step of the daemon.

import Foundation
import Registration
import Spool

struct SpoolWorld {
  let folder: URL
  let spool: SpoolDirectory
  private(set) var random: SplitMix64
  /// Lists that somebody still writes to.
  private var open: [FileHandle] = []
  private var count = 0
  private(set) var deeds = 0
  /// Nothing more is done.
  var isStill = false

  init(seed: UInt64, in folder: URL) throws {
    self.folder = folder
    spool = SpoolDirectory(path: folder.appending(path: "spool").path)
    random = SplitMix64(seed: seed)
    try spool.prepare()
  }

  mutating func unit() -> Double { random.unit() }

  /// Something happens, or nothing.
  mutating func step() {
    guard !isStill, random.unit() < 0.25 else { return }
    deeds += 1
    // Whatever was there may be gone by now, or be elsewhere.
    switch Int(random.unit() * 10) {
    case 0...1: try? drop()
    case 2...3: try? writeInPlace()
    case 4...6: try? append()
    case 7: try? letGo()
    case 8: if let file = anyFile { try? Data(lines(1 + Int(random.unit() * 9))).write(to: file) }
    default: if random.unit() < 0.3, let file = anyFile { try? FileManager.default.removeItem(at: file) }
    }
  }

  /// Writers finish their last lines and go.
  mutating func end() throws {
    isStill = true
    for handle in open { try handle.write(contentsOf: Data("\n".utf8)) }
    open = []
  }

  private mutating func newName() -> String {
    count += 1
    // Some come under a name that was there before.
    return random.unit() < 0.2 ? "again.txt" : "\(random.unit() < 0.5 ? "a" : "z")\(count).txt"
  }

  private var incoming: URL { URL(filePath: spool.path(of: .incoming)) }

  private mutating func drop() throws {
    let lines = lines(random.unit() < 0.1 ? 4_500 : Int(random.unit() * 30))
    let draft = folder.appending(path: "draft")
    try Data(lines).write(to: draft)
    try FileManager.default.moveItem(at: draft, to: incoming.appending(path: newName()))
  }

  private mutating func writeInPlace() throws {
    let file = incoming.appending(path: newName())
    guard FileManager.default.createFile(atPath: file.path, contents: nil) else { return }
    let handle = try FileHandle(forWritingTo: file)
    open.append(handle)
    try handle.write(contentsOf: Data(lines(Int(random.unit() * 5))))
  }

  private mutating func append() throws {
    guard !open.isEmpty else { return }
    let index = Int(random.unit() * Double(open.count))
    var text = lines(1 + Int(random.unit() * 4))
    // In the middle of a line, now and then.
    if random.unit() < 0.2 { text.removeLast(1 + Int(random.unit() * 20)) }
    try open[index].seekToEnd()
    try open[index].write(contentsOf: Data(text))
  }

  private mutating func letGo() throws {
    guard !open.isEmpty else { return }
    let handle = open.remove(at: Int(random.unit() * Double(open.count)))
    if random.unit() < 0.7 { try handle.write(contentsOf: Data("\n".utf8)) }
    try handle.close()
  }

  /// Keys of few, so that lists have them in common, and now and then a line that is none.
  private mutating func lines(_ count: Int) -> [UInt8] {
    (0..<count).flatMap { _ -> [UInt8] in
      if random.unit() < 0.02 { return Array("not a key\n".utf8) }
      return Array("\(AppKeyID(high: 7, low: UInt64(random.unit() * 9_000)))\n".utf8)
    }
  }

  private var anyFile: URL? {
    mutating get {
      let places: [SpoolDirectory.Subfolder] = [.incoming, .reading, .done]
      let place = URL(filePath: spool.path(of: places[Int(random.unit() * 3)]))
      let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
      let lists = names.filter { $0.hasSuffix(".txt") }.sorted()
      return lists.isEmpty ? nil : place.appending(path: lists[Int(random.unit() * Double(lists.count))])
    }
  }
}
