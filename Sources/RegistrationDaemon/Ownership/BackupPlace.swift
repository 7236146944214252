/// Which instance a backup belongs to, going by where it lies: beside an instance's files, or in a folder with an
/// instance's stamp.
package enum BackupPlace {
  /// Throws `SettingsError` when `file`, as written or with its symbolic links followed, belongs to another instance.
  ///
  /// - Parameter source: The instance that the operator says it is from, if any.
  package static func refuseForeign(
    _ file: String, for instance: Instance, from source: Instance?
  ) throws(SettingsError) {
    let real = PathOwner.resolved(file)
    for candidate in [file, real] {
      guard let owner = owner(of: candidate, asks: instance), owner != instance, owner != source else { continue }
      let shown = candidate == file ? file : "\(file), which is \(candidate),"
      throw SettingsError(
        "\(shown) belongs to \(owner), not to \(instance)",
        hint: """
          nothing was changed; restore it with\(owner.name.map { " --instance \($0)" } ?? "out --instance"), or, if it \
          is meant for \(instance), add --from-instance \(owner.word)
          """)
    }
  }

  private static func owner(of file: String, asks instance: Instance) -> Instance? {
    let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
    return PathOwner.owner(of: file, isFolder: false, asks: instance) ?? InstanceStamp(folder: folder).owner
  }
}
