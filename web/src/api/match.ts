import { getJson, postJson } from "./request.ts";
import type { LatLng } from "./photos.ts";

export interface Guess {
  player: string;
  /** Null where PlaNet has no answer. */
  lat: number | null;
  lng: number | null;
  distance_km: number | null;
  points: number;
}

/** A round that is over. With photos of their own, each player has rounds of their own. */
export interface Round {
  round: number;
  truth: LatLng & { name: string | null };
  guesses: Guess[];
}

/** Where a guess is, if there is one. */
export const positionOf = ({ lat, lng }: Guess): LatLng | null =>
  lat === null || lng === null ? null : { lat, lng };

export interface Match {
  id: string;
  rounds: number;
  players: string[];
  round: number;
  guessed: string[];
  results: Round[];
  over: boolean;
  /** Whether all players see the same photos. */
  shared: boolean;
}

export interface PlayerSummary {
  player: string;
  median_km: number | null;
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
}): Promise<{ id: string }> => postJson("api/match", options);

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

/** The model's answers and the true positions, for `planet score match --predictions`; once it is over. */
export const answersUrl = (id: string): string => `api/match/${encodeURIComponent(id)}/answers`;

/** The guesses of all people as a table that `planet score match --people` reads. */
export const guessesUrl = (id: string): string => `api/match/${encodeURIComponent(id)}/predictions`;
