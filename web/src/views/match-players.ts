import { MACHINE, type Guess, type Round } from "../api/match.ts";
import type { Line, Mark, Overlay, Tone } from "../map/marks.ts";

/** The tone of a player's marks: the program's own, and one each for two people. */
export function toneOf(player: string, players: readonly string[]): Tone {
  if (player === MACHINE) return "model";
  return players.length === 2 && players.indexOf(player) === 1 ? "second" : "first";
}

export const initialOf = (player: string): string => [...player][0]?.toUpperCase() ?? "?";

export function markOf(guess: Pick<Guess, "player" | "lat" | "lng">, players: readonly string[], label = true): Mark {
  const machine = guess.player === MACHINE;
  return {
    at: guess,
    shape: machine ? "diamond" : "dot",
    tone: toneOf(guess.player, players),
    text: machine ? "P" : initialOf(guess.player),
    ...(label ? { label: guess.player } : {}),
  };
}

/** Rounds on the map: where each photo was taken, and the way from each guess to it. */
export function roundsOverlay(rounds: readonly Round[], players: readonly string[]): Overlay {
  const lines: Line[] = [];
  const marks: Mark[] = [];
  for (const { truth, guesses } of rounds) {
    for (const guess of guesses) {
      lines.push({ from: guess, to: truth, tone: toneOf(guess.player, players), dashed: guess.player === MACHINE });
      marks.push(markOf(guess, players, rounds.length === 1));
    }
    marks.push({ at: truth, shape: "star", tone: "truth", size: 8, ...(rounds.length === 1 ? { label: truth.name } : {}) });
  }
  return { lines, marks };
}
