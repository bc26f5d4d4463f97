import type { Answer, Candidate, Certain, LatLng } from "../api/photos.ts";
import { distanceKm } from "../map/geodesic.ts";
import { Discs } from "./discs.ts";
import type { ClassFacts, LocalLevel, LocalModel } from "./package.ts";

/** Probability below which a class is left out of a posterior. */
const LEAST = 1e-6;

/** Turns scores into answers as the command does. */
export class Answerer {
  private readonly discs: Discs;

  constructor(
    private readonly model: LocalModel,
    private readonly classes: readonly (ClassFacts | null)[],
    private readonly warning: string | null,
  ) {
    this.discs = new Discs(
      classes,
      model.levels.map((it) => it.radius_km),
    );
  }

  /** What is said of a photo with these scores. */
  answer(photo: string, scores: Float32Array, position: LatLng | null, top: number, posterior: boolean): Answer {
    const probabilities = probabilitiesOf(scores, this.model);
    const ranked = [...probabilities.keys()].sort(
      (a, b) => (probabilities[b] as number) - (probabilities[a] as number) || a - b,
    );
    const predictions = this.candidates(ranked, probabilities, top);
    const answer: Answer = { photo, predictions, certain: this.certain(probabilities) };
    const best = predictions[0];
    if (position)
      answer.truth = best ? { ...position, distance_km: distanceKm(position, best) } : { ...position };
    if (this.warning) answer.warning = this.warning;
    if (posterior) {
      const classes = ranked.filter((it) => (probabilities[it] as number) > LEAST);
      answer.posterior = { classes, probabilities: classes.map((it) => probabilities[it] as number) };
    }
    return answer;
  }

  private candidates(ranked: readonly number[], probabilities: Float32Array, top: number): Candidate[] {
    const candidates: Candidate[] = [];
    for (const index of ranked) {
      const probability = probabilities[index] as number;
      if (candidates.length === top || probability <= 0) break;
      const facts = this.classes[index];
      if (!facts) continue;
      const { lat, lng, radius_km, place } = facts;
      const cell = facts.cell === undefined ? {} : { cell: facts.cell };
      candidates.push({ class: index, ...cell, probability, lat, lng, radius_km, place });
    }
    return candidates;
  }

  /** The finest level that is certain. */
  private certain(probabilities: Float32Array): Certain {
    for (const level of this.model.levels) {
      const disc = this.discs.densest(probabilities, level.radius_km, needed(level, this.model.certain));
      const facts = disc ? this.classes[disc.index] : null;
      if (!disc || !facts) continue;
      const { lat, lng } = facts;
      const probability = calibrated(level, disc.mass);
      return { level: level.name, name: nameAt(facts, level), lat, lng, radius_km: level.radius_km, probability };
    }
    return { level: "unknown" };
  }
}

/** Softmax of the scores over the temperature, in 32 bits. */
export function probabilitiesOf(scores: Float32Array, { temperature, kind }: LocalModel): Float32Array {
  const logits = kind === "probabilities" ? scores.map(Math.log) : scores;
  const greatest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(greatest) || logits.some(Number.isNaN)) throw new Error("the network's scores are no distribution");
  const values = logits.map((it) => Math.exp(Math.fround(Math.fround(it - greatest) / temperature)));
  const sum = values.reduce((sum, it) => sum + it, 0);
  const scale = Math.fround(1 / sum);
  return values.map((it) => it * scale);
}

/** Logits beyond these differ in nothing. */
const FARTHEST = 12;
const logit = (p: number): number => Math.min(Math.max(Math.log(p / (1 - p)), -FARTHEST), FARTHEST);
const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));
const isPlain = ({ slope, intercept }: LocalLevel): boolean => slope === 1 && intercept === 0;

/** What the model must put within a level's radius for the probability to be this one. */
const needed = (level: LocalLevel, p: number): number =>
  isPlain(level) ? p : sigmoid((logit(p) - level.intercept) / level.slope);

/** The probability that a photo lies within a level's radius of where the model puts this much. */
const calibrated = (level: LocalLevel, p: number): number =>
  isPlain(level) ? p : sigmoid(level.slope * logit(p) + level.intercept);

/** The name at a level, or the next coarser one that there is. */
function nameAt({ place, continent }: ClassFacts, { name }: LocalLevel): string {
  const names = [place.name, place.name, place.region, place.country, continent];
  const from = ["street", "city", "region", "country", "continent"].indexOf(name);
  return names.slice(from).find((it) => it !== "") ?? "";
}
