/// Why a line of a list has no usable key id. Each reason becomes a sentence for people here and in the types of its
/// parts, and nowhere else.
package enum InvalidReason: Hashable, Sendable {
  /// It is not an id; nil when it resembles no known mistake.
  case notAnID(IDFlaw?)
  /// It is the id of something else than an application key.
  case other(OtherThing)
  /// It is not clear which id is meant.
  case unclear(IDDoubt)
  /// The record of a CSV list cannot be used.
  case record(RecordFlaw)
  /// There is another header among the records of a CSV list; nothing after it was read.
  case nextTable(CSVNextTable.Header, ListEnding.CutShort)
  /// A JSON value that is neither a key id nor an object with one.
  case value(JSONMisfit)
  /// The JSON is broken.
  case json(JSONFlaw, lost: Lost? = nil)
  /// Nothing after this line was read.
  case stopped(KeyListError, ListEnding.CutShort)
  /// A line in UTF-8 in a list that begins as UTF-16.
  case encoding

  /// What else was not read.
  package enum Lost: Hashable, Sendable {
    case restOfLine(ListEnding.CutShort)
    case restOfList(ListEnding.CutShort)
  }

  /// There is an id, but that of something else than an application key.
  package var isOfOther: Bool { if case .other = self { true } else { false } }
}

extension InvalidReason: CustomStringConvertible {
  /// One line without a full stop.
  package var description: String {
    switch self {
    case .notAnID(nil): IDFlaw.notAnID
    case .notAnID(let flaw?): "\(IDFlaw.notAnID): \(flaw)"
    case .other(let thing): "\(thing)"
    case .unclear(let doubt): "\(doubt)"
    case .record(let flaw): "\(flaw)"
    case .nextTable(let header, let cut): "\(header); submit what follows as a list of its own: \(cut.description)"
    case .value(let misfit): "\(misfit)"
    case .json(let flaw, lost: nil): "broken JSON: \(flaw)"
    case .json(let flaw, lost: .restOfLine(let cut)?):
      "broken JSON: \(flaw); nothing after it on its line was read: \(cut.description)"
    case .json(let flaw, lost: .restOfList(let cut)?):
      "broken JSON: \(flaw); nothing after it was read: \(cut.description)"
    case .stopped(let error, let cut):
      "\(error.message); nothing after line \(cut.line) was read: \(cut.description); \(error.hint)"
    case .encoding: "this line is UTF-8, but the list begins as UTF-16; use one encoding for all of it"
    }
  }
}
