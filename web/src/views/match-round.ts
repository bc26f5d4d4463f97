import { matchPhotoUrl, type Match, type Round } from "../api/match.ts";
import type { LatLng } from "../api/photos.ts";
import { WorldMap } from "../map/canvas.ts";
import { announce } from "../ui/announce.ts";
import { button, h, scrollable } from "../ui/element.ts";
import { coordinates, kilometres, whole } from "../ui/format.ts";
import { icon } from "../ui/icons.ts";
import { errorNotice } from "../ui/notice.ts";
import { markOf, roundsOverlay } from "./match-players.ts";

export interface RoundActions {
  guess: (player: string, at: LatLng) => Promise<void>;
  next: () => void;
}

/** One round: a photo and a map; each player sets a mark, then all guesses are shown. */
export class RoundScreen {
  readonly element = h("div", { class: "round" });
  readonly map: WorldMap;
  private readonly title = h("h1", { tabindex: "-1" });
  private readonly turn = h("p", { class: "round-turn" });
  private readonly photo = h("img", { class: "round-photo", alt: "" });
  private readonly position = h("p", { class: "hint round-position" });
  private readonly foot = h("div", { class: "round-foot" });
  private match: Match | null = null;
  private player = "";
  private at: LatLng | null = null;
  private readonly send: HTMLButtonElement;

  constructor(private readonly actions: RoundActions) {
    this.map = new WorldMap({ label: "Map for the guess" });
    this.map.confirmed = () => void this.guess();
    this.send = button({ class: "button button-primary", click: () => void this.guess() }, "Guess");
    this.element.append(
      h("div", { class: "round-head" }, h("div", {}, this.title, this.turn)),
      h("div", { class: "round-photo-frame" }, this.photo),
      h("div", { class: "round-map" }, this.map.element),
      this.foot,
    );
  }

  /** Lets a player guess. */
  ask(match: Match, player: string): void {
    const fresh = this.match?.round !== match.round || match.shared === false;
    [this.match, this.player, this.at] = [match, player, null];
    this.title.textContent = `Round ${match.round + 1} of ${match.rounds}`;
    this.turn.textContent = match.players.length > 1 ? `${player}, where was this photo taken?` : "Where was this photo taken?";
    this.photo.alt = "The photo to locate";
    if (fresh) this.photo.src = matchPhotoUrl(match.id, match.round, match.shared === false ? player : null);
    this.map.showOverlay({});
    this.map.choose((at) => this.set(at));
    this.map.showWorld();
    this.send.disabled = true;
    this.position.textContent = "Click the map. With the keyboard: arrow keys move the mark (Shift: further), + and − zoom, Enter guesses.";
    this.foot.replaceChildren(this.position, this.send);
    announce(`${this.title.textContent}. ${this.turn.textContent}`);
  }

  /** Shows the round when all have guessed. */
  reveal(match: Match, rounds: Round[]): void {
    this.map.choose(undefined);
    this.map.showOverlay(roundsOverlay(rounds, match.players));
    this.map.fit(rounds.flatMap((it) => [it.truth, ...it.guesses]), 600);
    const first = rounds[0];
    const place = rounds.length === 1 && first ? first.truth.name || coordinates(first.truth, 2) : null;
    this.turn.textContent = place ? `It was taken in ${place}.` : "All have guessed.";
    const next = button({ class: "button button-primary", click: () => this.actions.next() }, match.over ? "Show the result" : "Next round", icon("next"));
    this.foot.replaceChildren(roundTable(rounds), next);
    next.focus();
    const best = rounds.flatMap((it) => it.guesses).reduce<Round["guesses"][number] | null>((a, b) => (a && a.distance_km <= b.distance_km ? a : b), null);
    announce(`${this.turn.textContent} ${best ? `The nearest guess is ${best.player}'s, ${kilometres(best.distance_km)} away.` : ""}`);
  }

  private set(at: LatLng): void {
    this.at = at;
    this.send.disabled = false;
    this.position.textContent = `${coordinates(at, 2)}. Click elsewhere to move the mark.`;
    this.map.showOverlay({ marks: [markOf({ player: this.player, ...at }, this.match?.players ?? [], false)] });
  }

  private async guess(): Promise<void> {
    if (!this.at || this.send.disabled) return;
    this.send.disabled = true;
    try {
      await this.actions.guess(this.player, this.at);
    } catch (error) {
      this.send.disabled = false;
      this.foot.replaceChildren(errorNotice(error), this.send);
    }
  }
}

function roundTable(rounds: readonly Round[]): HTMLElement {
  const several = rounds.length > 1;
  const rows = rounds.flatMap(({ truth, guesses, player }) =>
    [...guesses]
      .sort((a, b) => a.distance_km - b.distance_km)
      .map((it) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, it.player),
          several && h("td", {}, `${player ? `${player}'s photo: ` : ""}${truth.name || coordinates(truth, 1)}`),
          h("td", { class: "number" }, kilometres(it.distance_km)),
          h("td", { class: "number" }, whole(it.points)),
        ),
      ),
  );
  return scrollable(
    "Guesses of this round",
    h(
      "table",
      { class: "round-table" },
      h("caption", { class: "unseen" }, "Guesses of this round, the nearest first"),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "Player"),
          several && h("th", { scope: "col" }, "Photo"),
          h("th", { scope: "col", class: "number" }, "Distance"),
          h("th", { scope: "col", class: "number" }, "Points"),
        ),
      ),
      h("tbody", {}, ...rows),
    ),
  );
}
