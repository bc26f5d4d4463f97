import type { Place } from "../api/photos.ts";
import type { Preprocess } from "./preprocess.ts";

/** What the site says of its model; it stands in api/state. */
export interface LocalModel {
  preprocess: Preprocess;
  /** The output with the scores, and what they are. */
  scores: string;
  kind: "logits" | "probabilities";
  temperature: number;
  levels: LocalLevel[];
  /** The network's files: the graph first, then its weights. */
  files: string[];
  /** The share from which on a level is stated. */
  certain: number;
}

/** A level from fine to coarse: its radius, and what a probability within it is worth. */
export interface LocalLevel {
  name: "street" | "city" | "region" | "country" | "continent";
  radius_km: number;
  slope: number;
  intercept: number;
}

/** What classes.json says of a class; `null` of one that is no place. */
export interface ClassFacts {
  /** Absent of a class that is only a point. */
  cell?: string;
  lat: number;
  lng: number;
  radius_km: number;
  place: Place;
  continent: string;
  /** As far as photos of the class may lie from its point. */
  reach_km: number;
  /** Shares of its photos within the radius of each level. */
  shares: number[];
}
