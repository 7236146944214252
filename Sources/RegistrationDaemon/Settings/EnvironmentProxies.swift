import RegistrationAPI

/// Which proxy requests take, and why: `api.proxy` for every host, else what libcurl finds in the environment.
///
/// Source of the order of variables and the form of NO_PROXY: libcurl's manual, CURLOPT_PROXY and CURLOPT_NOPROXY.
struct EnvironmentProxies: Sendable {
  private var proxy: (variable: String, value: String)?
  private var exceptions: (variable: String, value: String)?

  init(_ environment: [String: String]) {
    func first(_ names: [String]) -> (String, String)? {
      names.lazy.compactMap { name in environment[name].map { (name, $0) } }.first { !$0.1.isEmpty }
    }
    proxy = first(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
    exceptions = first(["no_proxy", "NO_PROXY"])
  }

  /// The proxy in force, without its password, and why it is.
  func choice(for settings: Settings, origin: String) -> (value: String, origin: String) {
    let host = settings.endpoint.host
    let isPlain = settings.endpoint.base.hasPrefix("http:")
    if let explicit = settings.proxy {
      if isPlain { return ("null", "\(origin) does not apply to http://") }
      let shown = SettingKey.withoutPassword(explicit)
      guard let exceptions, Self.holds(exceptions.value, host) else { return (shown, origin) }
      return (shown, "\(origin), which overrides \(exceptions.variable)")
    }
    guard let proxy, !isPlain else { return ("null", origin) }
    if let exceptions, Self.holds(exceptions.value, host) {
      return ("null", "environment \(exceptions.variable), which has \(host)")
    }
    return (SettingKey.withoutPassword(proxy.value), "environment \(proxy.variable)")
  }

  /// The variable in force whose value libcurl would refuse for each request; nil when there is none.
  func unusable(for settings: Settings) -> String? {
    guard settings.proxy == nil, !settings.endpoint.base.hasPrefix("http:"), let proxy,
      exceptions.map({ Self.holds($0.value, settings.endpoint.host) }) != true
    else { return nil }
    return Self.isUsable(proxy.value) ? nil : proxy.variable
  }

  /// The schemes that libcurl knows for proxies.
  static let schemes = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]

  /// Whether `text` is the address of a proxy, with or without scheme. As libcurl reads it, a password may contain
  /// anything.
  private static func isUsable(_ text: String) -> Bool {
    var rest = text[...]
    if let sign = rest.firstRange(of: "://") {
      guard schemes.contains(rest[..<sign.lowerBound].lowercased()) else { return false }
      rest = rest[sign.upperBound...]
    }
    if let sign = rest.lastIndex(of: "@") { rest = rest[rest.index(after: sign)...] }
    let address = rest.prefix { $0 != "/" }
    let afterHost = address.first == "[" ? address.drop { $0 != "]" }.dropFirst() : address.drop { $0 != ":" }
    let host = address.prefix(address.count - afterHost.count)
    let port = afterHost.dropFirst()
    guard !host.isEmpty, !host.contains(where: \.isWhitespace), host.first != "[" || host.last == "]" else {
      return false
    }
    return afterHost.isEmpty || afterHost.first == ":" && (port.isEmpty || Int(port).map((1...65_535).contains) == true)
  }

  /// Whether `host`, or a domain or network that it is in, is one of `names`.
  private static func holds(_ names: String, _ host: String) -> Bool {
    if names == "*" { return true }
    let address = IPAddress(host)
    return names.split { $0 == "," || $0.isWhitespace }.contains { entry in
      if let address { return address.isIn(entry) }
      var name = entry.lowercased()
      if name.hasPrefix(".") { name.removeFirst() }
      if name.hasSuffix(".") { name.removeLast() }
      return !name.isEmpty && (host == name || host.hasSuffix("." + name))
    }
  }
}
