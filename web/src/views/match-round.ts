import { matchPhotoUrl, positionOf, type Match, type Round } from "../api/match.ts";
import type { LatLng } from "../api/photos.ts";
import { WorldMap } from "../map/canvas.ts";
import { announce } from "../ui/announce.ts";
import { button, byTouch, h, scrollable } from "../ui/element.ts";
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
    const fresh = this.match?.round !== match.round || !match.shared;
    [this.match, this.player, this.at] = [match, player, null];
    this.title.textContent = `Round ${match.round + 1} of ${match.rounds}`;
    this.turn.textContent =
      match.players.length > 1 ? `${player}, where was this photo taken?` : "Where was this photo taken?";
    this.photo.alt = "The photo to locate";
    if (fresh) this.photo.src = matchPhotoUrl(match.id, match.round, !match.shared ? player : null);
    this.map.showOverlay({});
    this.map.choose((at) => this.set(at));
    this.map.showWorld();
    this.send.disabled = true;
    this.position.textContent = byTouch()
      ? "Tap the map."
      : "Click the map. With the keyboard: arrow keys move the mark (Shift: further), + and − zoom, Enter guesses.";
    this.foot.replaceChildren(this.position, this.send);
    announce(`${this.title.textContent}. ${this.turn.textContent}`);
  }

  /** Shows a round when all have guessed; with photos of their own, after each player's guess. */
  reveal(match: Match, round: Round): void {
    this.map.choose(undefined);
    this.map.showOverlay(roundsOverlay([round], match.players));
    this.map.fit([round.truth, ...round.guesses.flatMap((it) => positionOf(it) ?? [])], 600);
    this.turn.textContent = `It was taken in ${round.truth.name || coordinates(round.truth, 2)}.`;
    const words = match.over ? "Show the result" : match.round === round.round ? "Next player" : "Next round";
    const next = button(
      { class: "button button-primary", click: () => this.actions.next() },
      words,
      icon("next"),
    );
    this.foot.replaceChildren(roundTable(round), next);
    next.focus();
    const [best] = byDistance(round);
    const nearest =
      best?.distance_km == null
        ? ""
        : ` The nearest guess is ${best.player}'s, ${kilometres(best.distance_km)} away.`;
    announce(`${this.turn.textContent}${nearest}`);
  }

  private set(at: LatLng): void {
    this.at = at;
    this.send.disabled = false;
    this.position.textContent = `${coordinates(at, 2)}. ${byTouch() ? "Tap" : "Click"} elsewhere to move the mark.`;
    this.map.showOverlay({ marks: [markOf(this.player, at, this.match?.players ?? [], false)] });
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

const byDistance = ({ guesses }: Round): Round["guesses"] =>
  [...guesses].sort((a, b) => (a.distance_km ?? Infinity) - (b.distance_km ?? Infinity));

function roundTable(round: Round): HTMLElement {
  const rows = byDistance(round).map((it) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, it.player),
      h("td", { class: "number" }, it.distance_km === null ? "no answer" : kilometres(it.distance_km)),
      h("td", { class: "number" }, whole(it.points)),
    ),
  );
  const head = (words: string, number = true) =>
    h("th", { scope: "col", class: number ? "number" : undefined }, words);
  return scrollable(
    "Guesses of this round",
    h(
      "table",
      { class: "round-table" },
      h("caption", { class: "unseen" }, "Guesses of this round, the nearest first"),
      h("thead", {}, h("tr", {}, head("Player", false), head("Distance"), head("Points"))),
      h("tbody", {}, ...rows),
    ),
  );
}
