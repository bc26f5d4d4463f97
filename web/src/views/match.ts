import {
  guess,
  match as findMatch,
  matchSummary as summaryOf,
  startMatch,
  type Match,
} from "../api/match.ts";
import type { ServerState } from "../api/state.ts";
import type { LatLng } from "../api/photos.ts";
import type { WorldMap } from "../map/canvas.ts";
import { announce } from "../ui/announce.ts";
import { h } from "../ui/element.ts";
import { errorNotice } from "../ui/notice.ts";
import { RoundScreen } from "./match-round.ts";
import { matchSetup, type MatchPlan } from "./match-setup.ts";
import { matchSummary } from "./match-summary.ts";
import type { PageView } from "./view.ts";
import { withoutModel, withoutPhotos } from "./without.ts";

/** The paper's game: people guess where photos were taken, against PlaNet. */
export class MatchView implements PageView {
  readonly element = h("section", { class: "view match", "aria-label": "Match" });
  private screen: RoundScreen | null = null;
  private match: Match | null = null;
  /** The map that is shown; it is closed when another one takes its place. */
  private map: WorldMap | null = null;

  static make(state: ServerState): PageView {
    if (!state.model) return { element: h("section", { class: "view" }, withoutModel(state)) };
    if (!state.match) return { element: h("section", { class: "view" }, withoutPhotos()) };
    return new MatchView(state.match.photos);
  }

  private constructor(private readonly photos: number) {
    const id = location.hash.split("/")[1];
    if (id) void this.resume(id);
    else this.setup();
  }

  shown(): void {
    // The link to this view names no match: a page that is loaded again shall go on with this one.
    if (this.match) history.replaceState(null, "", `#match/${this.match.id}`);
  }

  private setup(): void {
    this.use(null);
    this.match = null;
    history.replaceState(null, "", "#match");
    this.element.replaceChildren(matchSetup(this.photos, (plan) => void this.start(plan)));
  }

  private async start(plan: MatchPlan): Promise<void> {
    try {
      const { id } = await startMatch({ ...plan, seed: null });
      this.play(await findMatch(id));
    } catch (error) {
      this.element.prepend(errorNotice(error));
    }
  }

  /** Goes on with a match after the page was loaded again. */
  private async resume(id: string): Promise<void> {
    try {
      this.play(await findMatch(id));
    } catch {
      this.setup();
    }
  }

  private play(match: Match): void {
    this.match = match;
    history.replaceState(null, "", `#match/${match.id}`);
    if (match.over) return void this.finish();
    this.screen ??= this.makeScreen();
    const player = match.players.find((it) => !match.guessed.includes(it));
    if (player !== undefined) this.screen.ask(match, player);
  }

  private makeScreen(): RoundScreen {
    const screen = new RoundScreen({
      guess: (player, at) => this.guess(player, at),
      next: () => this.match && this.play(this.match),
    });
    this.use(screen.map);
    this.element.replaceChildren(screen.element);
    return screen;
  }

  private use(map: WorldMap | null): void {
    this.map?.close();
    this.map = map;
    this.screen = null;
  }

  private async guess(player: string, at: LatLng): Promise<void> {
    if (!this.match || !this.screen) return;
    const { id, round } = this.match;
    const answer = await guess(id, round, player, at);
    const match = await findMatch(id);
    if ("waiting" in answer) return this.play(match);
    this.match = match;
    this.screen.reveal(match, answer);
  }

  private async finish(): Promise<void> {
    if (!this.match) return;
    try {
      const summary = await summaryOf(this.match.id);
      const { element, map } = matchSummary(this.match, summary, () => this.setup());
      this.use(map);
      this.element.replaceChildren(element);
      const title = element.querySelector("h1");
      title?.focus();
      announce(title?.textContent ?? "");
    } catch (error) {
      this.element.prepend(errorNotice(error));
    }
  }
}
