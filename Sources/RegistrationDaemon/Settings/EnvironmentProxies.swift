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
