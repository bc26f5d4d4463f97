import { getJson, postJson } from "./request.ts";
import type { LatLng } from "./photos.ts";

export interface Guess extends LatLng {
  player: string;
  distance_km: number;
  points: number;
}

/** A round that is over. With photos of their own, each player has a truth of their own. */
export interface Round {
  round: number;
  truth: LatLng & { name: string };
  guesses: Guess[];
  /** Whose photo it was, when players have photos of their own. */
  player?: string;
}

export interface Match {
  id: string;
  rounds: number;
  players: string[];
  round: number;
  guessed: string[];
  results: Round[];
  over: boolean;
  shared?: boolean;
}

export interface PlayerSummary {
  player: string;
  median_km: number;
  points: number;
  won: number;
}

export interface Summary {
  players: PlayerSummary[];
  rounds: Round[];
}

/** The model's name among the players. */
export const MACHINE = "PlaNet";

export const startMatch = (options: {
  rounds: number;
  players: string[];
  seed: number | null;
  shared: boolean;
}): Promise<Match> => postJson("api/match", options);

export const match = (id: string): Promise<Match> => getJson(`api/match/${encodeURIComponent(id)}`);

export const guess = (
  id: string,
  round: number,
  player: string,
  at: LatLng,
): Promise<{ waiting: string[] } | Round> =>
  postJson(`api/match/${encodeURIComponent(id)}/guess`, { round, player, lat: at.lat, lng: at.lng });

export const matchSummary = (id: string): Promise<Summary> =>
  getJson(`api/match/${encodeURIComponent(id)}/summary`);

export function matchPhotoUrl(id: string, round: number, player: string | null): string {
  const query = player === null ? "" : `?player=${encodeURIComponent(player)}`;
  return `api/match/${encodeURIComponent(id)}/photo/${round}${query}`;
}

export const predictionsUrl = (id: string, player: string): string =>
  `api/match/${encodeURIComponent(id)}/predictions?player=${encodeURIComponent(player)}`;
