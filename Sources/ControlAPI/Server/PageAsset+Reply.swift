extension PageAsset {
  var reply: ControlReply {
    switch self {
    case .script: .bytes(PackageResources.page_js, contentType: "text/javascript; charset=utf-8")
    case .style: .bytes(PackageResources.page_css, contentType: "text/css; charset=utf-8")
    }
  }
}
