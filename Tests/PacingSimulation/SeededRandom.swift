// Random numbers for the simulation: the same seed gives the same run on every machine.

import Foundation
import Registration

package struct SeededRandom: RandomNumberGenerator {
  private var generator: SplitMix64

  /// Neighbouring seeds give unrelated runs.
  package init(seed: UInt64) {
    generator = SplitMix64(seed: seed &* 0x2545_f491_4f6c_dd1d &+ 0x9e37_79b9_7f4a_7c15)
  }

  package mutating func next() -> UInt64 { generator.next() }

  /// Uniform in 0..<1.
  package mutating func unit() -> Double { generator.unit() }

  package mutating func uniform(_ low: Double, _ high: Double) -> Double { low + unit() * (high - low) }

  package mutating func chance(_ probability: Double) -> Bool { probability > 0 && unit() < probability }

  package mutating func exponential(mean: Double) -> Double { -mean * log(1 - unit()) }

  package mutating func normal() -> Double {
    (-2 * log(1 - unit())).squareRoot() * cos(2 * .pi * unit())
  }

  package mutating func pick<Element>(_ choices: [Element]) -> Element { choices[Int(next() % UInt64(choices.count))] }
}
