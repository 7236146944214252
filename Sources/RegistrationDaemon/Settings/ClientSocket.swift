/// The control socket that a client command uses when neither a flag nor the environment names one.
package enum ClientSocket {
  /// The socket that the configuration names.
  ///
  /// The configuration belongs to the daemon: a client need not be able to read it to reach a daemon at the default
  /// socket. Throws `SettingsError` when nothing answers there either: the daemon may well run elsewhere, and only the
  /// configuration says where.
  ///
  /// - Parameter isAnswering: Whether something listens on a socket.
  package static func path(
    _ source: SettingsSource, isAnswering: (String) -> Bool
  ) throws(SettingsError) -> String {
    let instance = try source.instance
    let loaded: LoadedSettings
    do {
      loaded = try source.load()
    } catch {
      let usual = Settings(instance: instance).socket
      if isAnswering(usual) { return usual }
      throw SettingsError(
        error.description,
        hint: """
          so the daemon's socket is not known, and nothing listens on \(usual): name it with --socket\
          \(error.isDenied ? ", or use sudo" : "; \(error.hint ?? "keyreg check shows what is wrong")")
          """, isDenied: error.isDenied)
    }
    try loaded.refuseForeign([.socket], for: instance)
    return loaded.settings.socket
  }
}
