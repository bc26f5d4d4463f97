import type { LocalModel } from "../local/package.ts";
import { getJson } from "./request.ts";

export interface Model {
  name: string;
  architecture: string;
  classes: number;
  input: [number, number];
  features: number;
  /** Why its answers must not be trusted, if so. */
  warning: string | null;
  /** Ways to locate an album that the model has. */
  schemes: string[];
}

export interface Limits {
  photo_bytes: number;
  request_photos: number;
  pixels: number;
}

/** What the server has, or the site. */
export interface ServerState {
  version: string;
  model: Model | null;
  library: { folder: string; photos: number } | null;
  match: { photos: number; dataset: string } | null;
  report: boolean;
  limits: Limits;
  /** Commands that lead to a model; only without one. */
  get_model?: string[];
  /** Only of a site without a server: the page runs the model itself. */
  local?: LocalModel;
}

export function serverState(): Promise<ServerState> {
  return getJson<ServerState>("api/state");
}
