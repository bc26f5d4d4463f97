import { MACHINE, positionOf, type Round } from "../api/match.ts";
import type { LatLng } from "../api/photos.ts";
import type { Line, Mark, Overlay, Tone } from "../map/marks.ts";

/** The tone of a player's marks: the program's own, and one each for two people. */
export function toneOf(player: string, players: readonly string[]): Tone {
  if (player === MACHINE) return "model";
  return players.length === 2 && players.indexOf(player) === 1 ? "second" : "first";
}

/** What stands in a player's mark: the number that ends the name, or else the first letter. */
export const initialOf = (player: string): string =>
  /\d{1,2}$/.exec(player)?.[0] ?? [...player][0]?.toUpperCase() ?? "?";

export function markOf(player: string, at: LatLng, players: readonly string[], label = true): Mark {
  const machine = player === MACHINE;
  return {
    at,
    shape: machine ? "diamond" : "dot",
    tone: toneOf(player, players),
    ...(machine ? { size: 7 } : { text: initialOf(player) }),
    ...(label ? { label: player } : {}),
  };
}

/** Rounds on the map: where each photo was taken, and the way from each guess to it. */
export function roundsOverlay(rounds: readonly Round[], players: readonly string[]): Overlay {
  const lines: Line[] = [];
  const marks: Mark[] = [];
  for (const { truth, guesses } of rounds) {
    for (const guess of guesses) {
      const at = positionOf(guess);
      if (!at) continue;
      lines.push({
        from: at,
        to: truth,
        tone: toneOf(guess.player, players),
        dashed: guess.player === MACHINE,
      });
      marks.push(markOf(guess.player, at, players, rounds.length === 1));
    }
    marks.push({
      at: truth,
      shape: "star",
      tone: "truth",
      size: 8,
      ...(rounds.length === 1 && truth.name ? { label: truth.name } : {}),
    });
  }
  return { lines, marks };
}
