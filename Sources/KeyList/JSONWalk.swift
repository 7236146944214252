/// Walks through one JSON object and returns the elements of its arrays, wherever these are, and the objects in it that
/// are named after an application key. Strict: anything unexpected ends it.
struct JSONWalk {
  struct Found {
    /// The array's number in the object, from 1. A nested array has its outer array's number, and so have the values
    /// of a Terraform output that is a map. Terraform outputs that are one id each are together in `singles`.
    var array: Int
    /// The member that the array belongs to, for display.
    var name: String
    var meaning: IDName.Meaning
    var entry: KeyListEntry
    /// True for the id of an application key in a Terraform state; the array has no meaning then.
    var isStateKey = false
    /// True for what a row of the table in `reading` has in the column of the keys.
    var isRow = false

    static let singles = -1
  }

  struct Frame {
    var container: JSONContainer
    /// The number of this array, or of the array that this is an element of; 0 for neither.
    var array = 0
    /// For an array in an array, how deep it is inside.
    var level = 0
    /// The member whose value this is; for an element, the array's.
    var name: [UInt8] = []
    var meaning = IDName.Meaning.unknown
    /// An object of `terraform output -json`: it has `sensitive`, then perhaps `type`, then `value`.
    var isOutput = false
    /// Its `type` says that its value is a map, so that the names in it mean nothing.
    var isMapOutput = false
    /// The value of such an object, whose members are elements.
    var isMap = false
    /// The name of something else that the value has in a map.
    var otherName: [UInt8]?
    /// An object that is an application key by its name.
    var isKey = false

    var holdsElements: Bool { container.isArray || isMap }
  }

  var bytes: ListBytes
  private var tokens = JSONTokens(isInLine: true)
  private let isBesideID: Bool
  var stack: [Frame]
  private var arrays = 0
  /// The depth of the Terraform resource that is an application key, while inside one.
  private var resource: Int?
  private var rootNames: Set<String> = []
  /// What the object says it is.
  private(set) var type: JSONType?
  /// Why nothing in the object counts.
  private(set) var flaw: JSONMisfit?
  /// The object itself, once it is closed.
  private(set) var root: JSONContainer?
  /// How many ids the arrays in the array of this number have.
  private(set) var rows: [Int: IDRows] = [:]
  /// The tables among the arrays, by number, whose first row has titles; nil for one without.
  var tables: [Int: JSONTable?] = [:]
  /// The titles in a member, and one of them that is of something else.
  var titles: [[UInt8]] = []
  var hasOtherTitles = false
  var otherTitle: String?
  /// The array whose rows are returned instead of their values.
  var reading: (array: Int, table: JSONTable)?
  /// A comma comes before the current token: nothing may close here.
  private var isBehindComma = false

  /// `bytes` begin after the object's opening brace. `isBesideID` says that the object has an id of its own.
  init(_ bytes: ListBytes, line: Int, isBesideID: Bool = false) {
    self.bytes = bytes
    self.isBesideID = isBesideID
    stack = [Frame(container: JSONContainer(role: .item, line: line))]
  }

  /// Whether the object is a Terraform state; known at its end.
  var isState: Bool {
    rootNames.contains("terraform_version") && (rootNames.contains("resources") || rootNames.contains("values"))
  }

  /// The next element of an array, or key in a state; nil at the object's end.
  mutating func next() throws(KeyListError) -> Found? {
    while !stack.isEmpty, flaw == nil {
      let token = try tokens.next(&bytes)
      if isBehindComma, token.kind == .endArray || token.kind == .endObject { flaw = .brokenInside }
      isBehindComma = token.kind == .comma
      if flaw != nil { return nil }
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
    case (.nameOrEnd, .endArray) where isArray, (.commaOrEnd, .endArray) where isArray: return closeArray()
    case (.nameOrEnd, .endObject) where !isArray, (.commaOrEnd, .endObject) where !isArray: return close()
    case (.nameOrEnd, .string) where !isArray: beginMember()
    case (.nameOrEnd, let kind) where isArray && kind.beginsValue, (.value, let kind) where kind.beginsValue:
      stack[top].container.expects = .commaOrEnd
      return try value(token)
    default: flaw = .brokenInside
    }
    return nil
  }

  private mutating func beginMember() {
    let top = stack.count - 1
    stack[top].container.beginMember(tokens.isCut ? [] : tokens.text)
    stack[top].container.expects = .colon
    memberName = Array(tokens.text.prefix(200))
    if top == 1, !stack[0].container.isArray, memberName.elementsEqual("sensitive".utf8) { stack[1].isOutput = true }
    guard top == 0 else { return }
    let name = String(decoding: memberName, as: UTF8.self)
    if ["terraform_version", "resources", "values"].contains(name) { rootNames.insert(name) }
  }

  var memberName: [UInt8] = []

  private mutating func value(_ token: JSONTokens.Token) throws(KeyListError) -> Found? {
    let top = stack.count - 1
    let parent = stack[top]
    if token.kind == .beginArray || token.kind == .beginObject {
      try open(token, in: parent)
      return nil
    }
    let entry =
      token.kind == .string ? JSONEntry.key(tokens, line: token.line) : JSONEntry.misplaced(token, tokens)
    if isRow(parent) {
      reading?.table.add(entry, text: token.kind == .string ? tokens.text : nil)
      return nil
    }
    if token.kind == .string, parent.name.elementsEqual("type".utf8), top > 0, tokens.text.elementsEqual("map".utf8) {
      stack[top - 1].isMapOutput = stack[top - 1].isOutput
    }
    if parent.holdsElements {
      var element = parent
      element.otherName = otherName(in: parent)
      stack[top].container.noteElement(entry)
      return found(entry, in: element)
    }
    if parent.isOutput, token.kind == .string, memberName.elementsEqual("value".utf8) {
      arrays += 1
      var output = parent
      output.array = parent.meaning == .keys ? Found.singles : arrays
      return found(entry, in: output)
    }
    if case .key = entry, IDName.meaning(of: memberName) == .unknown, !parent.container.wantsID {
      stack[top].container.hasUnnamedID = true
    }
    if parent.container.wantsID, !tokens.text.elementsEqual("null".utf8) { stack[top].container.keep(entry) }
    if parent.container.wantsType, token.kind == .string {
      stack[top].container.keepType(tokens.text)
      if top == 0, stack[0].container.member == .type { type = JSONType(tokens.text) }
    }
    return nil
  }

  private mutating func open(_ token: JSONTokens.Token, in parent: Frame) throws(KeyListError) {
    guard stack.count < JSONContainer.deepest else {
      flaw = .tooDeep
      return
    }
    let isArray = token.kind == .beginArray
    if isArray, !parent.holdsElements { try noteTitles() }
    if isRow(parent) { reading?.table.add(JSONEntry.misplaced(token, tokens)) }
    var frame = Frame(container: JSONContainer(role: isArray ? .data : .item, line: token.line))
    if parent.holdsElements {
      (frame.array, frame.name, frame.meaning) = (parent.array, parent.name, parent.meaning)
      if isArray, parent.container.isArray { frame.level = parent.level + 1 }
      frame.otherName = otherName(in: parent)
    } else {
      frame.name = memberName
      frame.meaning = IDName.meaning(of: memberName, in: parent.meaning, isBesideID: isBesideID)
      frame.isMap = !isArray && parent.isOutput && memberName.elementsEqual("value".utf8)
      if frame.isMap { (frame.name, frame.meaning) = (parent.name, parent.meaning) }
      frame.isKey =
        !frame.holdsElements && (IDName.isKey(memberName) || isBesideID && IDName.holdsKeys(memberName))
      if frame.holdsElements || frame.isKey {
        arrays += 1
        frame.array = arrays
      }
      if frame.isMap, !parent.isMapOutput { try takeAsOneKey(&frame) }
    }
    if frame.level == 1 { try beginRow(of: frame) }
    stack.append(frame)
    // `terraform show -json` has its resources in modules, a state file has them at the top.
    if !isArray, parent.container.isArray, resource == nil, stack.count == 3 || rootNames.contains("values"),
      frame.name.elementsEqual("resources".utf8), try isKeyResource(token.line)
    {
      resource = stack.count
    }
  }

  private mutating func closeArray() -> Found? {
    var closed = stack.removeLast()
    guard let parent = stack.last, parent.container.isArray else { return nil }
    _ = closed.container.closeArray()
    rows[parent.array, default: IDRows()].add(closed.container.rows)
    guard isRow(closed), let entry = reading?.table.endRow() else { return nil }
    var row = found(entry, in: closed)
    row.isRow = true
    return row
  }

  private mutating func close() -> Found? {
    let depth = stack.count
    guard let closed = stack.popLast() else { return nil }
    defer { if resource == depth { resource = nil } }
    if stack.isEmpty { root = closed.container }
    if let resource,
      depth == resource + 3 && closed.name.elementsEqual("attributes".utf8)
        || depth == resource + 1 && closed.name.elementsEqual("values".utf8),
      let named = closed.container.named
    {
      return Found(array: 0, name: "resources", meaning: .keys, entry: named, isStateKey: true)
    }
    if closed.isKey, let named = closed.container.named { return found(named, in: closed) }
    guard let parent = stack.last, parent.holdsElements, let entry = closed.container.entry else { return nil }
    return found(entry, in: closed)
  }

  private func found(_ entry: KeyListEntry, in frame: Frame) -> Found {
    var entry = entry
    if let other = frame.otherName, case .key(let id, let line) = entry {
      let name = InvalidLine.shown(other, characters: 40)
      entry = .invalid(InvalidLine(line: line, text: id.description, reason: .other(.named(name))))
    }
    return Found(
      array: frame.array, name: InvalidLine.shown(frame.name, characters: 40), meaning: frame.meaning, entry: entry)
  }
}
