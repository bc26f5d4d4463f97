import { vector } from "../map/geodesic.ts";
import type { ClassFacts } from "./package.ts";
import { Spread } from "./spread.ts";

/** Masses that differ by less are equal. */
const EQUAL = 1e-9;
/** Probabilities come in 32 bits, and their sum is one only within this. */
const ROUNDING = 1e-6;

const rounded = (mass: number): number => Math.round(mass / EQUAL);

/** A class's place and spread. */
interface Point {
  index: number;
  at: readonly [number, number, number];
  spread: Spread;
}

/** The class whose point is the middle, and the probability inside. */
export interface Disc {
  index: number;
  mass: number;
}

/** Finds the disc round a class's point that holds the most probability. */
export class Discs {
  private readonly points: Point[];

  constructor(classes: readonly (ClassFacts | null)[], levels: readonly number[]) {
    this.points = classes.flatMap((it, index) =>
      it ? [{ index, at: vector(it), spread: new Spread(it.shares, levels, it.reach_km) }] : [],
    );
  }

  /** The best disc of this radius if it holds at least the share; of equal ones the more probable class's. */
  densest(probabilities: Float32Array, radiusKm: number, least: number): Disc | null {
    const share = least - ROUNDING;
    const weight = (it: Point) => probabilities[it.index] as number;
    const ranked = this.points.filter((it) => weight(it) > 0).sort((a, b) => weight(b) - weight(a));
    // What is left behind each class: a disc that holds none of the heavy ones cannot win.
    const behind = new Float64Array(ranked.length + 1);
    for (let i = ranked.length - 1; i >= 0; i -= 1)
      behind[i] = (behind[i + 1] as number) + weight(ranked[i] as Point);
    let best: Disc | null = null;
    for (const middle of ranked) {
      const mass = this.mass(ranked, behind, middle, probabilities, radiusKm, Math.max(share, best?.mass ?? 0));
      if (mass === null || mass < share) continue;
      // Ranked: an equal disc of an earlier class has the greater probability.
      if (!best || rounded(mass) > rounded(best.mass)) best = { index: middle.index, mass };
    }
    return best && { ...best, mass: Math.min(best.mass, 1) };
  }

  /** The probability in a disc; `null` as soon as it cannot reach `least`. */
  private mass(
    ranked: readonly Point[],
    behind: Float64Array,
    middle: Point,
    probabilities: Float32Array,
    radiusKm: number,
    least: number,
  ): number | null {
    let mass = 0;
    for (let i = 0; i < ranked.length; i += 1) {
      if (mass + (behind[i] as number) < least - EQUAL) return null;
      const { index, at, spread } = ranked[i] as Point;
      const away =
        (at[0] - middle.at[0]) ** 2 + (at[1] - middle.at[1]) ** 2 + (at[2] - middle.at[2]) ** 2;
      mass += (probabilities[index] as number) * spread.within(radiusKm, away);
    }
    return mass;
  }
}
