import { guess, match as findMatch, matchSummary as summaryOf, startMatch, type Match } from "../api/match.ts";
import type { ServerState } from "../api/state.ts";
import type { LatLng } from "../api/photos.ts";
import { announce } from "../ui/announce.ts";
import { h } from "../ui/element.ts";
import { commands, empty, errorNotice } from "../ui/notice.ts";
import { RoundScreen } from "./match-round.ts";
import { matchSetup, type MatchPlan } from "./match-setup.ts";
import { matchSummary } from "./match-summary.ts";
import { withoutModel, type PageView } from "./view.ts";

/** The paper's game: people guess where photos were taken, against PlaNet. */
export class MatchView implements PageView {
  readonly element = h("section", { class: "view match", "aria-label": "Match" });
  private screen: RoundScreen | null = null;
  private match: Match | null = null;

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

  private setup(): void {
    this.screen = null;
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
    this.element.replaceChildren(screen.element);
    return screen;
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
      const screen = matchSummary(this.match, summary, () => this.setup());
      this.screen = null;
      this.element.replaceChildren(screen);
      const title = screen.querySelector("h1");
      title?.focus();
      announce(title?.textContent ?? "");
    } catch (error) {
      this.element.prepend(errorNotice(error));
    }
  }
}

function withoutPhotos(): HTMLElement {
  return empty(
    "match",
    "Guess against PlaNet",
    "For a match the server needs photos whose position is known and that the model has not seen in training. Start it with a dataset:",
    commands(["planet serve --model MODEL --match MANIFEST", "a manifest of photos, or MANIFEST:SPLIT for a part of it"]),
  );
}
