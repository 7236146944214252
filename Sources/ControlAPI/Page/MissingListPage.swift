import Registration

/// The page at `/lists/NAME` when there is no such list.
struct MissingListPage {
  let status: StatusDocument
  let name: String
  let reason: ControlError

  func reply() -> ControlReply {
    let hint = reason.hint.map { "<p>\(PageText.escape($0))</p>\n" } ?? ""
    var reply = PageText.reply(
      title: name, status,
      body: PageText.section(
        "missing", "No such list",
        "<p>\(PageText.escape(reason.message))</p>\n\(hint)<p><a href=\"/\">All lists</a></p>"))
    reply.status = reason.code.status
    return reply
  }
}
