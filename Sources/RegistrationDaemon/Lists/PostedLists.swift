import ControlAPI
import KeyList
import Logging
import Registration
import RegistrationQueue
import Spool

/// Lists from the control socket. They are written to the spool as they arrive and read before all others.
///
/// Even while the spool hangs, a client gets an answer that says what it needs to know: that nothing was taken, that
/// the list is in the spool, or, if the spool hangs just when the list gets its name, that it may be taken later. Such
/// a list is read once it is there.
struct PostedLists: Sendable {
  let importer: Importer
  let calls: SpoolCalls
  let log: Logger

  /// Returns the receipt as JSON.
  func submit(
    name: String?, force: Bool, terms: ListTerms, body: any AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> [UInt8] {
    let name = try name.map(Self.listName) ?? Self.listName("list-\(Timestamp.now().milliseconds).txt")
    let post = PostedList(spool: importer.spool, calls: calls)
    defer { post.discard() }
    do {
      for try await piece in body { try await post.write(piece) }
      try await post.sync()
    } catch let error as SpoolError where error.kind == .unanswered {
      throw Self.explained(error, Self.nothing)
    }
    let committed = try await commit(post, as: name, force: force, terms: terms)
    do {
      // From here only a hanging spool ends the wait: other lists may be read first.
      return try await calls.wait(patience: .infinity) { answer in
        // The body was complete, so its last record counts even without a line end.
        importer.take(posted: ReadyList(place: .reading, name: committed, isStill: true), answer: answer)
      }
    } catch let error as SpoolError where error.kind == .unanswered {
      throw Self.explained(error, "the list is in the spool as \(committed), and is read once the spool answers")
    }
  }

  /// What importing the list would do. It is in the spool without a name until it was counted.
  func survey(
    name: String?, force: Bool, body: any AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> (survey: ListSurvey, bytes: Int) {
    if let name { _ = try Self.listName(name) }
    let post = PostedList(spool: importer.spool, calls: calls)
    defer { post.discard() }
    do {
      for try await piece in body { try await post.write(piece) }
      return try await post.read { [queue = importer.queue] file in
        do {
          let survey = try ListSurvey(file.reader(), isForced: force) { try queue.states(of: $0) }
          if let rejection = survey.rejection { throw ControlError(rejection) }
          return (survey, Int(file.size))
        } catch let error as KeyListError {
          throw ControlError(Rejection(error))
        }
      }
    } catch let error as SpoolError where error.kind == .unanswered {
      throw Self.explained(error, Self.nothing)
    }
  }

  private func commit(
    _ post: PostedList, as name: ListName, force: Bool, terms: ListTerms
  ) async throws -> ListName {
    do {
      return try await post.commit(as: name, force: force, terms: terms) { [queue = importer.queue] name in
        try queue.hasList(named: name.text)
      }
    } catch let error as SpoolError where error.kind == .unanswered {
      switch post.abandon({ [self] result in tell(late: result, name) }) {
      case .done(let name): return name
      case .nothing: throw Self.explained(error, Self.nothing)
      case .unknown:
        throw Self.explained(
          error, "the list \(name) may still be taken once the spool answers",
          hint: "run keyreg lists before you send it again; a key that is submitted twice is registered once")
      }
    }
  }

  /// The result of a commit that nobody waited for any more.
  private func tell(late result: Result<ListName, any Error>, _ name: ListName) {
    switch result {
    case .success(let name):
      log.notice(
        "a posted list reached the spool after its client had been told that the outcome was unknown",
        metadata: ["list": "\(name)"])
      importer.take([ReadyList(place: .reading, name: name, isStill: true)])
    case .failure(let error):
      log.warning(
        "a posted list was not taken; its client had been told that the outcome was unknown",
        metadata: ["list": "\(name)", "detail": "\(error)"])
    }
  }

  private static let nothing = "the list was not taken"

  private static func listName(_ text: String) throws -> ListName {
    do {
      return try ListName(text)
    } catch {
      throw ControlError(.badRequest, error.message)
    }
  }

  private static func explained(_ error: SpoolError, _ what: String, hint: String? = nil) -> ControlError {
    ControlError(.unavailable, "\(error.message); \(what)", hint: hint ?? error.hint)
  }
}
