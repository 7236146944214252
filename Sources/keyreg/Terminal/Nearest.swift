/// The word that somebody probably meant.
enum Nearest {
  /// The word of `words` that differs least from `text`; nil if even that differs in more than a third, or if several are
  /// as near.
  static func word(to text: String, in words: some Sequence<String>) -> String? {
    let most = max(1, text.count / 3)
    var best: (word: String, distance: Int)?
    var isTied = false
    for word in words where abs(word.count - text.count) <= most {
      let distance = distance(Array(text.lowercased()), Array(word.lowercased()))
      guard distance <= most else { continue }
      if let known = best, distance >= known.distance {
        isTied = isTied || distance == known.distance
      } else {
        best = (word, distance)
        isTied = false
      }
    }
    return isTied ? nil : best?.word
  }

  /// Insertions, deletions, replacements, and exchanges of neighbours (optimal string alignment).
  private static func distance(_ one: [Character], _ other: [Character]) -> Int {
    var rows = [Array(0...other.count)]
    for (i, character) in one.enumerated() {
      var row = [i + 1]
      for (j, candidate) in other.enumerated() {
        var least = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (character == candidate ? 0 : 1))
        if i > 0, j > 0, character == other[j - 1], one[i - 1] == candidate {
          least = min(least, rows[i - 1][j - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[one.count][other.count]
  }
}
