/// What a name says about the ids that it stands for: the title of a column, a heading, or the name of a JSON member.
/// These are read alike, so that a word that is known in one form of lists is known in all.
///
/// A name of application keys is good for its ids, and the name of something else never is. Any other name says nothing:
/// people name lists of keys after whatever the keys are for.
enum IDName {
  enum Meaning: Hashable {
    case keys, other, unknown
  }

  /// Names that are those of keys when the object that has the member has an id of its own.
  private static let besideAnID = ["ids", "uuids", "key", "keys", "key id", "key ids", "keyid", "keyids"]

  /// - Parameter isLabel: The name stands above lines of text, or before one, where `Platform team:` may say whose keys
  ///   they are. There, something else is named only by a plural, by its ids, or by nothing but its name.
  static func meaning(of name: [UInt8], isLabel: Bool = false) -> Meaning {
    let words = NameWords(name).words
    guard let place = placeOfKey(in: words) else { return isOther(words, isLabel: isLabel) ? .other : .unknown }
    // `users_without_app_keys` are users; `list_of_app_keys` has keys.
    let before = words[..<place.lowerBound]
    if let preposition = before.firstIndex(where: Self.isPreposition), isOther(before[..<preposition], isLabel: false) {
      return .other
    }
    let after = words[place.upperBound...]
    return after.first.map(isPreposition) != true && isOther(after, isLabel: false) ? .other : .keys
  }

  /// The meaning of a member's name, or that of the names around it: an output of Terraform is named after its content,
  /// the array in it is always `value`.
  ///
  /// - Parameter isBesideID: The object has an id of its own, so less specific names also mark its keys.
  static func meaning(of name: [UInt8], in outer: Meaning, isBesideID: Bool) -> Meaning {
    if isBesideID, isBesideAnID(name) { return .keys }
    let meaning = meaning(of: name)
    return meaning == .unknown ? outer : meaning
  }

  /// Whether the array or object of this name in an object with an id of its own holds the keys, so that the id is that
  /// of something else: a user, an export.
  static func holdsKeys(_ name: [UInt8]) -> Bool {
    // Most names are neither; reading their words takes longer.
    guard name.count <= 200 else { return false }
    return name.count <= 8 && isBesideAnID(name) || mentionsKey(name) && isKey(name)
  }

  /// Whether an object of this name is an application key.
  static func isKey(_ name: [UInt8]) -> Bool { meaning(of: name) == .keys }

  /// Whether `name` is that of keys if the object that has the member has an id of its own.
  static func isBesideAnID(_ name: [UInt8]) -> Bool {
    let words = name.map { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") ? UInt8(ascii: " ") : $0 }
    return besideAnID.contains(String(decoding: words, as: UTF8.self).lowercased())
  }

  /// Whether `name` is that of an application key or its id, whatever comes before and with a number or not:
  /// `TEAM_A_APP_KEY_ID_2`, but not `app_key_owner_id`.
  static func isOfOneKey(_ name: [UInt8]) -> Bool {
    let words = NameWords(name).words
    guard let place = placeOfKey(in: words), meaning(of: name) == .keys else { return false }
    return words[place.upperBound...].allSatisfy { NameWords.ids.contains($0.text) }
  }

  /// Whether `name` is that of ids, and of something else: `user_id`.
  static func isOfOtherIDs(_ name: [UInt8]) -> Bool {
    guard let last = NameWords(name).words.last, NameWords.ids.contains(last.text) else { return false }
    return meaning(of: name) == .other
  }

  /// Whether `name` is that of somebody to whom a thing belongs, or of their id: `owner`, `created_by`. The thing is
  /// another one.
  static func isRelation(_ name: [UInt8]) -> Bool {
    var words = NameWords(name).words
    while let last = words.last, NameWords.ids.contains(last.text) { words.removeLast() }
    if words.count == 1, let only = words.last { return !only.isPlural && Vocabulary.relations.contains(only.text) }
    return words.count == 2 && words.last?.text == "by" && Vocabulary.actions.contains(words.first?.text ?? "")
  }

  /// Whether `name` is nothing but that of a state: `error`.
  static func isState(_ name: [UInt8]) -> Bool {
    let words = NameWords(name).words
    return words.count == 1 && words.allSatisfy { Vocabulary.states.contains($0.text) }
  }

  /// Whether a column of this name may hold ids of whatever kind.
  static func mayNameIDs(_ name: [UInt8]) -> Bool {
    let words = NameWords(name).words
    return meaning(of: name) != .unknown || words.contains { NameWords.ids.contains($0.text) }
  }

  /// Whether `name` is that of keys of some kind: `CI keys`.
  static func endsInKey(_ name: [UInt8]) -> Bool { NameWords(name).words.last?.text == "key" }

  private static func mentionsKey(_ name: [UInt8]) -> Bool {
    name.indices.dropLast(2).contains { index in
      name[index...].prefix(3).elementsEqual("key".utf8, by: { $0 | 0x20 == $1 })
    }
  }

  private typealias Words = ArraySlice<NameWords.Word>

  private static func placeOfKey(in words: Words) -> Range<Int>? {
    words.indices.dropLast().first { index in
      ["app", "application"].contains(words[index].text) && words[index + 1].text == "key"
    }.map { $0..<$0 + 2 }
  }

  private static func isPreposition(_ word: NameWords.Word) -> Bool {
    ["of", "for", "with", "without", "from", "in", "on", "to", "per", "by"].contains(word.text)
  }

  private static func isOther(_ words: Words, isLabel: Bool) -> Bool {
    var words = words
    if let by = words.firstIndex(where: { ["by", "to"].contains($0.text) }), by > words.startIndex,
      Vocabulary.actions.contains(words[by - 1].text),
      words[(by + 1)...].allSatisfy({ NameWords.ids.contains($0.text) || Vocabulary.things.contains($0.text) })
    {
      return true
    }
    if let end = words.firstIndex(where: isPreposition), end > words.startIndex {
      // `list of users`
      let isEmpty = words[..<end].allSatisfy { Vocabulary.neutral.contains($0.text) || NameWords.ids.contains($0.text) }
      if isEmpty { return isOther(words[(end + 1)...], isLabel: isLabel) }
      words = words[..<end]
    }
    while let last = words.last, Vocabulary.neutral.contains(last.text) { words.removeLast() }
    var isOfIDs = false
    while let last = words.last, NameWords.ids.contains(last.text) {
      words.removeLast()
      isOfIDs = true
    }
    let start = words.drop { Vocabulary.qualifiers.contains($0.text) }
    guard let last = words.last else { return false }
    if last.text == "key" {
      let kind = words.dropLast().last?.text ?? ""
      return Vocabulary.keys.contains(kind) || start.count == 2 && Vocabulary.states.contains(kind)
    }
    if isOfIDs, Vocabulary.withID.contains(last.text) { return true }
    if start.count == 1, Vocabulary.states.contains(last.text) { return true }
    if words.contains(where: { $0.isPlural && Vocabulary.things.contains($0.text) }) { return true }
    let thing = words.count > 1 && Vocabulary.pairs.contains("\(words[words.endIndex - 2].text) \(last.text)") ? 2 : 1
    guard thing == 2 || Vocabulary.things.contains(last.text) else { return false }
    return !isLabel || isOfIDs || start.count == thing
  }
}

/// Words in the names of things that have ids and are not application keys, in the singular.
private enum Vocabulary {
  static let things: Set<String> = [
    "user", "owner", "member", "admin", "administrator", "person", "employee", "customer", "contact", "creator",
    "author", "actor", "assignee", "approver", "requester", "requestor", "reviewer", "maintainer", "viewer", "invitee",
    "recipient", "subscriber", "participant", "principal", "org", "organization", "organisation", "team", "tenant",
    "role", "group", "account", "workspace", "subscription", "monitor", "dashboard", "notebook", "slo", "host",
    "channel", "policy", "permission", "relationship", "token", "incident", "webhook", "certificate",
    "session", "invitation", "device", "cluster", "invoice", "event", "usr",
    // German, French, Spanish and Portuguese, Japanese, Chinese
    "benutzer", "nutzer", "eigentümer", "besitzer", "inhaber", "mitglied", "mitglieder", "konto", "konten",
    "utilisateur", "propriétaire", "membre", "compte", "usuario", "usuário", "propietario", "proprietário", "miembro",
    "membro", "cuenta", "conta", "ユーザー", "所有者", "用户", "用戶",
  ]
  /// Things of two words whose second one may mean anything.
  static let pairs: Set<String> = ["rum application", "oauth client", "data source", "synthetics test"]
  /// Things, and kinds of ids, that only `…_id` names: alone they may be what keys are for.
  static let withID: Set<String> = [
    "app", "application", "client", "public", "external", "parent", "service", "project", "request", "trace", "span",
    "transaction", "correlation", "message", "job", "run", "build", "product", "directory", "company", "department",
    "node", "instance", "test", "environment", "connection", "integration", "row", "order", "site", "login",
  ]
  /// What comes before `key` where it is not an application key.
  static let keys: Set<String> = [
    "api", "ssh", "public", "private", "encryption", "license", "signing", "access", "gpg", "sdk", "secret", "rsa",
  ]
  /// States of things, which say that they are not to be worked on, or leave open what they are.
  static let states: Set<String> = [
    "deleted", "removed", "revoked", "disabled", "expired", "rejected", "failed", "skipped", "excluded", "ignored",
    "inactive", "archived", "denied", "suspended", "blocked", "failure", "error",
  ]
  /// `created_by` and `assigned_to` are somebody.
  static let actions: Set<String> = [
    "created", "modified", "updated", "deleted", "revoked", "removed", "invited", "owned", "requested", "approved",
    "assigned", "added", "changed", "edited", "issued", "granted", "used", "disabled", "performed", "submitted",
    "registered", "managed", "rotated",
  ]
  /// Somebody to whom a thing belongs.
  static let relations: Set<String> = ["owner", "creator", "author", "besitzer", "inhaber", "eigentümer"]
  /// What may come before a thing without changing what it is.
  static let qualifiers: Set<String> = [
    "all", "the", "our", "my", "new", "old", "current", "active", "assigned", "datadog", "dd", "other", "service",
    "last", "first", "a", "an", "these", "following", "identifiant",
  ]
  /// What may come behind a thing: `user_list`.
  static let neutral: Set<String> = [
    "list", "data", "result", "item", "set", "array", "page", "collection", "value", "are", "is", "below",
    "export", "overview",
  ]
}
