/// A file that the pages load. They load nothing from elsewhere.
enum PageAsset: String {
  case script = "page.js"
  case style = "page.css"
}
