import { answersUrl, guessesUrl, MACHINE, positionOf, type Match, type Summary } from "../api/match.ts";
import { WorldMap } from "../map/canvas.ts";
import { curveFigure, type Series } from "../ui/curve.ts";
import { button, h, scrollable } from "../ui/element.ts";
import { coordinates, kilometres, whole } from "../ui/format.ts";
import { icon } from "../ui/icons.ts";
import { roundsOverlay } from "./match-players.ts";

/** The end of a match: points, medians and rounds won, a curve, all guesses, and files of them. */
export function matchSummary(
  match: Match,
  summary: Summary,
  again: () => void,
): { element: HTMLElement; map: WorldMap } {
  const players = [...summary.players].sort((a, b) => b.points - a.points);
  const [first, second] = players;
  const title = h(
    "h1",
    { tabindex: "-1" },
    first && second && first.points === second.points ? "A draw" : `${first?.player ?? MACHINE} has won`,
  );
  const map = new WorldMap({ label: "All guesses of the match" });
  map.showOverlay(roundsOverlay(summary.rounds, match.players));
  const element = h(
    "div",
    { class: "summary" },
    title,
    h(
      "div",
      { class: "summary-top" },
      h(
        "div",
        { class: "summary-side" },
        h("div", { class: "card" }, scrollable("Players", playersTable(players))),
        download(match),
      ),
      curveFigure(seriesOf(match, summary), "Share of the photos located within a distance"),
    ),
    h("div", { class: "summary-map" }, map.element),
    h(
      "p",
      { class: "hint" },
      "Star: where the photo was taken. Dot: guess of a person, solid line. Diamond: guess of PlaNet, dashed line.",
    ),
    guessesTable(summary),
    h("div", { class: "actions" }, button({ class: "button button-primary", click: again }, "New match")),
  );
  return { element, map };
}

/** One curve for the people and one for PlaNet, as in the paper; with two people, one for each. */
function seriesOf(match: Match, { rounds }: Summary): Series[] {
  const distances = (of: (player: string) => boolean) =>
    // No answer is an infinite distance: it is never within.
    rounds.flatMap((it) =>
      it.guesses.filter((guess) => of(guess.player)).map((guess) => guess.distance_km ?? Infinity),
    );
  const people =
    match.players.length <= 2
      ? match.players.map((player, index) => ({
          name: player,
          distances: distances((it) => it === player),
          class: index === 0 ? "curve-first" : "curve-second",
        }))
      : [{ name: "People", distances: distances((it) => it !== MACHINE), class: "curve-first" }];
  return [...people, { name: MACHINE, distances: distances((it) => it === MACHINE), class: "curve-model" }];
}

function playersTable(players: Summary["players"]): HTMLElement {
  const heads = ["Points", "Median distance", "Won"];
  return h(
    "table",
    { class: "summary-players" },
    h("caption", { class: "unseen" }, "Players, by points"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Player"),
        ...heads.map((it) => h("th", { scope: "col", class: "number" }, it)),
      ),
    ),
    h(
      "tbody",
      {},
      ...players.map((it) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, it.player),
          h("td", { class: "number" }, whole(it.points)),
          h("td", { class: "number" }, it.median_km === null ? "–" : kilometres(it.median_km)),
          h("td", { class: "number" }, whole(it.won)),
        ),
      ),
    ),
  );
}

function guessesTable({ rounds }: Summary): HTMLElement {
  const rows = rounds.flatMap((round) =>
    round.guesses.map((guess) => {
      const at = positionOf(guess);
      return h(
        "tr",
        {},
        h("td", { class: "number" }, String(round.round + 1)),
        h("td", {}, round.truth.name || coordinates(round.truth, 1)),
        h("th", { scope: "row" }, guess.player),
        h("td", { class: "number" }, at ? coordinates(at, 1) : "no answer"),
        h("td", { class: "number" }, guess.distance_km === null ? "" : kilometres(guess.distance_km)),
        h("td", { class: "number" }, whole(guess.points)),
      );
    }),
  );
  const heads: [string, boolean][] = [
    ["Round", true],
    ["Photo taken in", false],
    ["Player", false],
    ["Guess", true],
    ["Distance", true],
    ["Points", true],
  ];
  return h(
    "details",
    { class: "card summary-guesses" },
    h("summary", {}, "All guesses"),
    scrollable(
      "Guesses of all rounds",
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...heads.map(([words, number]) =>
              h("th", { scope: "col", class: number ? "number" : undefined }, words),
            ),
          ),
        ),
        h("tbody", {}, ...rows),
      ),
    ),
  );
}

function download(match: Match): HTMLElement {
  return h(
    "section",
    { class: "card summary-files" },
    h("h2", {}, "Files"),
    h(
      "p",
      { class: "hint" },
      "The guesses of all people and PlaNet's answers, for ",
      h("code", {}, "planet score match --people match.csv --predictions planet.jsonl"),
      ".",
    ),
    h(
      "p",
      { class: "file-buttons" },
      h(
        "a",
        { class: "button", href: guessesUrl(match.id), download: "match.csv" },
        icon("download"),
        "Save match.csv",
      ),
      h(
        "a",
        { class: "button", href: answersUrl(match.id), download: "planet.jsonl" },
        icon("download"),
        "Save planet.jsonl",
      ),
    ),
  );
}
