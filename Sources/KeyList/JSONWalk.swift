/// Walks through one JSON object and gives what stands in its arrays, wherever these are. Strict: what it cannot follow
/// ends it.
struct JSONWalk {
  struct Found {
    /// The array's number in the object, from 1. An array in an array counts as that.
    var array: Int
    /// The member that the array belongs to, for people.
    var name: String
    var meaning: JSONName.Meaning
    var entry: KeyListEntry
    /// True for the id of an application key in a Terraform state; the array has no meaning then.
    var isStateKey = false
  }

  private struct Frame {
    var container: JSONContainer
    /// Of the array that this is, or that this is an element of; 0 for neither.
    var array = 0
    /// The member that has this as its value; of an element, the array's.
    var name: [UInt8] = []
    var meaning = JSONName.Meaning.unknown
  }

  private var bytes: ListBytes
  private var tokens = JSONTokens(isInLine: true)
  private var stack: [Frame]
  private var arrays = 0
  /// How deep the resource of a Terraform state lies that is an application key, while inside one.
  private var resource: Int?
  private var rootNames: Set<String> = []
  /// What the object says that it is.
  private(set) var type: JSONType?
  private(set) var isBroken = false
  /// A comma stands before the token that is looked at: nothing may close there.
  private var isBehindComma = false

  /// `bytes` begin behind the object's brace.
  init(_ bytes: ListBytes, line: Int) {
    self.bytes = bytes
    stack = [Frame(container: JSONContainer(role: .item, line: line))]
  }

  /// Whether the object is a Terraform state; known at its end.
  var isState: Bool { rootNames == ["terraform_version", "resources"] }

  /// The next element of an array, or key in a state; nil at the object's end.
  mutating func next() throws(KeyListError) -> Found? {
    while !stack.isEmpty, !isBroken {
      let token = try tokens.next(&bytes)
      if isBehindComma, token.kind == .endArray || token.kind == .endObject { isBroken = true }
      isBehindComma = token.kind == .comma
      if isBroken { return nil }
      if let found = try take(token) { return found }
    }
    return nil
  }

  private mutating func take(_ token: JSONTokens.Token) throws(KeyListError) -> Found? {
    let top = stack.count - 1
    let isArray = stack[top].container.isArray
    switch (stack[top].container.expects, token.kind) {
    case (.commaOrEnd, .comma): stack[top].container.expects = .nameOrEnd
    case (.colon, .colon): stack[top].container.expects = .value
    case (.nameOrEnd, .endArray) where isArray, (.commaOrEnd, .endArray) where isArray: stack.removeLast()
    case (.nameOrEnd, .endObject) where !isArray, (.commaOrEnd, .endObject) where !isArray: return close()
    case (.nameOrEnd, .string) where !isArray: beginMember()
    case (.nameOrEnd, let kind) where isArray && kind.beginsValue, (.value, let kind) where kind.beginsValue:
      stack[top].container.expects = .commaOrEnd
      return try value(token)
    default: isBroken = true
    }
    return nil
  }

  private mutating func beginMember() {
    let top = stack.count - 1
    stack[top].container.beginMember(tokens.isCut ? [] : tokens.text)
    stack[top].container.expects = .colon
    memberName = Array(tokens.text.prefix(200))
    guard top == 0 else { return }
    let name = String(decoding: memberName, as: UTF8.self)
    if name == "terraform_version" || name == "resources" { rootNames.insert(name) }
  }

  private var memberName: [UInt8] = []

  private mutating func value(_ token: JSONTokens.Token) throws(KeyListError) -> Found? {
    let top = stack.count - 1
    let parent = stack[top]
    if token.kind == .beginArray || token.kind == .beginObject {
      try open(token, in: parent)
      return nil
    }
    let entry =
      token.kind == .string ? JSONEntry.key(tokens, line: token.line) : JSONEntry.misplaced(token, tokens)
    if parent.container.isArray { return found(entry, in: parent) }
    if parent.container.wantsID, !tokens.text.elementsEqual("null".utf8) { stack[top].container.keep(entry) }
    if parent.container.wantsType, token.kind == .string {
      stack[top].container.keepType(tokens.text)
      if top == 0 { type = JSONType(tokens.text) }
    }
    return nil
  }

  private mutating func open(_ token: JSONTokens.Token, in parent: Frame) throws(KeyListError) {
    guard stack.count < JSONContainer.deepest else {
      isBroken = true
      return
    }
    let isArray = token.kind == .beginArray
    var frame = Frame(container: JSONContainer(role: isArray ? .data : .item, line: token.line))
    if parent.container.isArray {
      (frame.array, frame.name, frame.meaning) = (parent.array, parent.name, parent.meaning)
    } else {
      frame.name = memberName
      frame.meaning = JSONName.meaning(of: memberName, in: parent.meaning)
      if isArray {
        arrays += 1
        frame.array = arrays
      }
    }
    stack.append(frame)
    if !isArray, stack.count == 3, frame.name.elementsEqual("resources".utf8), try isKeyResource(token.line) {
      resource = stack.count
    }
  }

  /// Whether the object that has just been opened says that it is an application key; that may be said at its end.
  private func isKeyResource(_ line: Int) throws(KeyListError) -> Bool {
    var ahead = JSONWalk(bytes, line: line)
    while try ahead.next() != nil {}
    return !ahead.isBroken && ahead.type.map { $0.otherThing == nil } == true
  }

  private mutating func close() -> Found? {
    let depth = stack.count
    guard let closed = stack.popLast() else { return nil }
    defer { if resource == depth { resource = nil } }
    if let resource, depth == resource + 3, closed.name.elementsEqual("attributes".utf8),
      let named = closed.container.named
    {
      return Found(array: 0, name: "resources", meaning: .keys, entry: named, isStateKey: true)
    }
    guard let parent = stack.last, parent.container.isArray, let entry = closed.container.entry else { return nil }
    return found(entry, in: closed)
  }

  private func found(_ entry: KeyListEntry, in frame: Frame) -> Found {
    Found(
      array: frame.array, name: InvalidLine.shown(frame.name, characters: 40), meaning: frame.meaning, entry: entry)
  }
}

extension JSONTokens.Kind {
  var beginsValue: Bool {
    switch self {
    case .string, .scalar, .beginArray, .beginObject: true
    default: false
    }
  }
}

/// What the name of a member says of the ids in it.
enum JSONName {
  enum Meaning {
    case keys, other, unknown
  }

  /// Words in the names of things that have ids and are not application keys.
  private static let others = [
    "user", "owner", "org", "team", "role", "account", "member", "apikey", "token", "people", "person", "dashboard",
    "monitor", "host", "channel", "polic", "permission", "group", "relationship",
  ]

  /// `outer` is what the names around it say: an output is named for its content, the array in it is always `value`.
  static func meaning(of name: [UInt8], in outer: Meaning) -> Meaning {
    let letters = String(
      decoding: name.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ") },
      as: UTF8.self
    ).lowercased()
    if letters.contains("appkey") || letters.contains("applicationkey") { return .keys }
    if others.contains(where: letters.contains) { return .other }
    return outer
  }
}
