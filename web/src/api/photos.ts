import { photosForm, request } from "./request.ts";

export interface LatLng {
  lat: number;
  lng: number;
}

export interface Place {
  name: string;
  region: string;
  country: string;
  country_code: string;
}

/** A candidate for a photo's position. */
export interface Candidate {
  class?: number;
  cell?: string;
  probability: number;
  lat: number;
  lng: number;
  radius_km: number;
  place?: Place;
}

export type Level = "street" | "city" | "region" | "country" | "continent";

/** The smallest radius that reaches the minimum probability. */
export type Certain =
  | { level: "unknown" }
  | { level: Level; name: string; lat: number; lng: number; radius_km: number; probability: number };

/** One photo's answer: a line of `planet locate --format jsonl`. */
export interface Answer {
  photo: string;
  predictions?: Candidate[];
  certain?: Certain | null;
  /** The position in the file, which nobody has verified. */
  truth?: (LatLng & { distance_km?: number }) | null;
  time?: string | null;
  error?: string | null;
  warning?: string | null;
  posterior?: Posterior;
}

/** Probabilities above 1e-6, greatest first. */
export interface Posterior {
  classes: number[];
  probabilities: number[];
}

/** The answers to several photos, in their order. */
export async function locate(files: readonly File[], signal: AbortSignal): Promise<Answer[]> {
  const init = { method: "POST", body: photosForm(files), signal };
  const response = await request("api/locate?top=5", init);
  const body = (await response.json()) as Answer | { photos: Answer[] };
  return "photos" in body ? body.photos : [body];
}

/** The answer to one photo with the probability of every class. */
export async function locateWithPosterior(file: File, signal: AbortSignal): Promise<Answer> {
  const init = { method: "POST", body: photosForm([file]), signal };
  const response = await request("api/locate?top=5&posterior=true", init);
  const body = (await response.json()) as Answer | { photos: Answer[] };
  const answer = "photos" in body ? body.photos[0] : body;
  if (!answer) throw new Error("the server answered without a photo");
  return answer;
}

/** The probability of a target when a part of the photo is hidden, row by row over the photo. */
export interface Explanation {
  values: number[][];
  rows: number;
  columns: number;
  /** The probability when nothing is hidden. */
  probability: number;
  width: number;
  height: number;
}

export async function explain(file: File, signal: AbortSignal): Promise<Explanation> {
  const init = { method: "POST", body: photosForm([file]), signal };
  return (await (await request("api/explain?target=best", init)).json()) as Explanation;
}

/** Both answers have the most probable cells as their posterior. */
export interface AlbumPhoto {
  photo: string;
  time: string | null;
  alone: Answer;
  album: Answer;
}

export interface AlbumResult {
  scheme: string;
  photos: AlbumPhoto[];
}
