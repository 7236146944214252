import ControlAPI
import Foundation
import Logging
import RateLimit
import Registration
import RegistrationAPI

/// One setting: its name in the file, its environment variables, what it accepts and how it is shown.
///
/// Only the table below names the settings, so that the file, the environment and `keyreg check` agree.
struct SettingKey: Sendable {
  let name: String
  /// Environment variables; the first takes precedence.
  var variables: [String] = []
  /// What is allowed, for errors: `1…64`.
  let allowed: String
  /// Whether errors must not quote the value: it may be a secret in the wrong place.
  var isSensitive = false
  /// Whether YAML must write it as a number.
  var isNumber = false
  /// Takes a value in text form; nil is YAML's null. Returns false when it is not allowed.
  let take: @Sendable (inout Settings, String?) -> Bool
  /// As `keyreg check` prints it.
  let show: @Sendable (Settings) -> String
}

extension SettingKey {
  static let all: [SettingKey] = [
    SettingKey(
      name: "site", variables: ["DD_SITE"], allowed: Site.all.map(\.name).joined(separator: ", "),
      take: { settings, text in
        // `Settings` errors read it again to suggest the site that was probably meant.
        guard let text, let site = try? Site(text) else { return false }
        settings.site = site
        return true
      }, show: { $0.site.name }),
    SettingKey(
      name: "api.url", variables: ["KEYREG_API_URL"], allowed: "an https:// URL; http:// for loopback addresses only",
      isSensitive: true,
      take: { settings, text in
        guard let text else {
          settings.url = nil
          return true
        }
        // `Settings` errors read it again to say why the URL is not accepted.
        guard let url = try? Endpoint(url: text) else { return false }
        settings.url = url
        return true
      }, show: { $0.endpoint.base }),
    path("api.api_key_file", \.apiKeyFile, isSensitive: true),
    path("api.app_key_file", \.appKeyFile, isSensitive: true),
    optionalPath("api.ca_file", \.caFile),
    SettingKey(
      name: "api.proxy", allowed: "a proxy URL such as http://proxy.example:3128, or null",
      isSensitive: true,
      take: { settings, text in
        if let text {
          guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            let host = parts.host, !host.isEmpty, parts.port.map((1...65_535).contains) ?? true,
            EnvironmentProxies.schemes.contains(scheme), !text.contains(where: \.isWhitespace)
          else { return false }
        }
        settings.proxy = text
        return true
      }, show: { $0.proxy.map(withoutPassword) ?? "null" }),
    duration("api.connect_timeout", \.connectTimeout, 100...600_000),
    duration("api.timeout", \.timeout, 100...3_600_000),
    number("workers", \.workers, 1...64),
    SettingKey(
      name: "rate_limit.reserve", allowed: "auto, or a share from 0 to 0.9",
      take: { settings, text in
        if text == "auto" {
          settings.reserve = .automatic
        } else if let share = text.flatMap(Double.init), (0...0.9).contains(share) {
          settings.reserve = .share(share)
        } else {
          return false
        }
        return true
      },
      show: { settings in
        switch settings.reserve {
        case .automatic: "auto"
        case .share(let share): "\(share)"
        }
      }),
    SettingKey(
      name: "rate_limit.assume", allowed: "a limit such as 400/1h, or null",
      take: { settings, text in
        guard let text else {
          settings.assume = nil
          return true
        }
        guard let allowance = Allowance(text) else { return false }
        settings.assume = allowance
        return true
      }, show: { $0.assume.map(\.description) ?? "null" }),
    number("retry.max_attempts", \.maxAttempts, 1...1_000),
    duration("retry.first_delay", \.firstDelay, 1...3_600_000),
    duration("retry.max_delay", \.maxDelay, 1...86_400_000),
    path("spool.directory", \.spoolDirectory, variables: ["KEYREG_SPOOL"]),
    SettingKey(
      name: "spool.max_file_size", allowed: "a size from 1KiB to 1TiB",
      take: { settings, text in
        guard let bytes = text.flatMap(SizeText.bytes), (1 << 10...1 << 40).contains(bytes) else { return false }
        settings.maxFileSize = bytes
        return true
      }, show: { SizeText.describe(bytes: $0.maxFileSize) }),
    duration("spool.settle", \.settle, 0...3_600_000),
    duration("spool.keep", \.keep, 0...315_360_000_000),
    SettingKey(
      name: "spool.keep_columns", allowed: "true, false, or a maximum number of columns, 1…\(Settings.mostColumns)",
      take: { settings, text in
        switch text {
        case "true": settings.keepColumns = Settings.mostColumns
        case "false": settings.keepColumns = 0
        case let text:
          guard let count = text.flatMap({ Int($0) }), (1...Settings.mostColumns).contains(count) else { return false }
          settings.keepColumns = count
        }
        return true
      },
      show: { settings in
        switch settings.keepColumns {
        case 0: "false"
        case Settings.mostColumns: "true"
        case let count: "\(count)"
        }
      }),
    path("state_directory", \.stateDirectory, variables: ["KEYREG_STATE"]),
    path("control.socket", \.socket, variables: ["KEYREG_SOCKET"]),
    SettingKey(
      name: "control.mode", allowed: "octal permissions in quotes, \"0600\" to \"0777\"",
      take: { settings, text in
        guard let text, (3...4).contains(text.count), let mode = UInt32(text, radix: 8), mode <= 0o777,
          mode & 0o600 == 0o600
        else { return false }
        settings.socketMode = mode
        return true
      }, show: { "0" + String($0.socketMode, radix: 8) }),
    SettingKey(
      name: "control.listen", allowed: "a loopback address and port such as 127.0.0.1:9464, or null",
      take: { settings, text in
        // `allowed` makes clear why an address is not accepted.
        if let text, (try? LoopbackAddress(parsing: text)) == nil { return false }
        settings.listen = text
        return true
      }, show: { $0.listen ?? "null" }),
    optionalPath("notify.command", \.notifyCommand),
    SettingKey(
      name: "notify.url", allowed: "an https:// URL, or null; http:// for loopback addresses only", isSensitive: true,
      take: { settings, text in
        if let text, !isPostable(text) { return false }
        settings.notifyURL = text
        return true
      }, show: { $0.notifyURL == nil ? "null" : "(redacted)" }),
    duration("notify.hold_after", \.notifyHoldAfter, 0...86_400_000),
    SettingKey(
      name: "log.level", variables: ["KEYREG_LOG"],
      allowed: Logger.Level.allCases.map(\.rawValue).joined(separator: ", "),
      take: { settings, text in
        guard let level = text.flatMap({ Logger.Level(rawValue: $0.lowercased()) }) else { return false }
        settings.logLevel = level
        return true
      }, show: { $0.logLevel.rawValue }),
    SettingKey(
      name: "log.format", allowed: LogChoice.allCases.map(\.rawValue).joined(separator: ", "),
      take: { settings, text in
        guard let format = text.flatMap(LogChoice.init(rawValue:)) else { return false }
        settings.logFormat = format
        return true
      }, show: { $0.logFormat.rawValue }),
    duration("stop_timeout", \.stopTimeout, 0...3_600_000),
  ]

  static func named(_ name: String) -> SettingKey? { all.first { $0.name == name } }

  private typealias Path<Value> = any WritableKeyPath<Settings, Value> & Sendable

  private static func path(
    _ name: String, _ value: Path<String>, variables: [String] = [], isSensitive: Bool = false
  ) -> SettingKey {
    SettingKey(
      name: name, variables: variables, allowed: "an absolute path", isSensitive: isSensitive,
      take: { settings, text in
        guard let text, isUsablePath(text) else { return false }
        settings[keyPath: value] = text
        return true
      }, show: { $0[keyPath: value] })
  }

  private static func optionalPath(_ name: String, _ value: Path<String?>) -> SettingKey {
    SettingKey(
      name: name, allowed: "an absolute path, or null",
      take: { settings, text in
        if let text, !isUsablePath(text) { return false }
        settings[keyPath: value] = text
        return true
      }, show: { $0[keyPath: value] ?? "null" })
  }

  private static func duration(_ name: String, _ value: Path<Int>, _ range: ClosedRange<Int>) -> SettingKey {
    let bounds =
      "\(DurationText.describe(milliseconds: range.lowerBound)) to \(DurationText.describe(milliseconds: range.upperBound))"
    return SettingKey(
      name: name, allowed: "a duration with its unit (250ms, 30s, 5m, 2h), \(bounds)",
      take: { settings, text in
        guard let amount = text.flatMap(DurationText.milliseconds), range.contains(amount) else { return false }
        settings[keyPath: value] = amount
        return true
      }, show: { DurationText.describe(milliseconds: $0[keyPath: value]) })
  }

  private static func number(_ name: String, _ value: Path<Int>, _ range: ClosedRange<Int>) -> SettingKey {
    SettingKey(
      name: name, allowed: "a whole number, \(range.lowerBound)…\(range.upperBound)", isNumber: true,
      take: { settings, text in
        guard let amount = text.flatMap({ Int($0) }), range.contains(amount) else { return false }
        settings[keyPath: value] = amount
        return true
      }, show: { String($0[keyPath: value]) })
  }

  /// Relative paths would depend on where the daemon was started.
  private static func isUsablePath(_ text: String) -> Bool {
    text.hasPrefix("/") && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } && text.utf8.count < 4096
  }

  /// Notifications are private: they are encrypted, or stay on this machine.
  private static func isPostable(_ text: String) -> Bool {
    guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty else { return false }
    return parts.scheme == "https" || parts.scheme == "http" && ["127.0.0.1", "localhost", "[::1]"].contains(host)
  }

  /// Also for text that is not a URL: a password before an invalid port is still a password.
  static func withoutPassword(_ text: String) -> String {
    guard let sign = text.lastIndex(of: "@") else { return SecretText.redacted(text) }
    let start = text.firstRange(of: "://")?.upperBound ?? text.startIndex
    return text[..<min(start, sign)] + "(redacted)" + text[sign...]
  }
}
