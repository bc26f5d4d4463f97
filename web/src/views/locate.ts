import { explain, type Answer } from "../api/photos.ts";
import type { Model, ServerState } from "../api/state.ts";
import { WorldMap } from "../map/canvas.ts";
import { Legend } from "../map/legend.ts";
import type { Mark } from "../map/marks.ts";
import { acceptDrops, chooseButtons, type Chosen } from "../photos/drop.ts";
import { LocalLocator } from "../local/locator.ts";
import { keepOffline } from "../local/offline.ts";
import { LocateQueue } from "../photos/queue.ts";
import { announce } from "../ui/announce.ts";
import { Chooser } from "../ui/chooser.ts";
import { button, h } from "../ui/element.ts";
import { answerWords, plural, shortName } from "../ui/format.ts";
import { icon } from "../ui/icons.ts";
import { errorNotice, notice } from "../ui/notice.ts";
import { AnswerPanel, modelWarning } from "./answer.ts";
import { photoRow, ROW_HEIGHT } from "./photo-row.ts";
import type { PageView } from "./view.ts";
import { withoutModel } from "./without.ts";

/** Photos are dropped; each gets a distribution over the globe, candidates and a certain level. */
export class LocateView implements PageView {
  readonly element = h("section", { class: "view locate", "aria-labelledby": "locate-title" });
  private readonly map = new WorldMap({ label: "Where the photo may have been taken" });
  private readonly legend = new Legend();
  private readonly stage = h("div", { class: "stage" });
  private readonly panel: AnswerPanel;
  private readonly list: Chooser;
  private readonly status = h("p", { class: "status" });
  private readonly progress = h("progress", { max: "1", value: "0", "aria-label": "Photos located" });
  private readonly notices = h("div", { class: "notices" });
  private readonly chooseMore: HTMLElement;
  private readonly welcome: HTMLElement;
  private readonly queue: LocateQueue;
  private current = -1;
  private explaining: AbortController | null = null;
  /** Whether a count is due: many answers arrive in one frame. */
  private dirty = false;
  private done = true;

  static make(state: ServerState): PageView {
    const { model } = state;
    return model
      ? new LocateView(state, model)
      : { element: h("section", { class: "view" }, withoutModel(state)) };
  }

  private constructor(state: ServerState, model: Model) {
    const changed = (indexes: number[]) => this.changed(indexes);
    const kept = state.local ? keepOffline() : Promise.resolve(false);
    const local = state.local ? new LocalLocator(state, kept) : undefined;
    this.queue = new LocateQueue(state.limits.photo_bytes, changed, local);
    this.panel = new AnswerPanel(local ? null : () => void this.explain(), model.warning);
    this.list = new Chooser({
      label: "Photos",
      render: (index) => photoRow(this.queue.photos[index]!),
      choose: (index) => {
        void this.select(index);
        // On a phone the answer is above the list.
        if (matchMedia("(max-width: 760px)").matches) this.stage.scrollIntoView();
      },
    });
    const take = (chosen: Chosen) => this.take(chosen);
    this.chooseMore = chooseButtons(take, false);
    this.welcome = h(
      "div",
      { class: "welcome" },
      h("div", { class: "welcome-mark" }, icon("upload")),
      h("h2", {}, "Where was it taken?"),
      h(
        "p",
        {},
        "Drop photos or a folder here. For each photo, the model gives a probability for every cell of the globe.",
      ),
      chooseButtons(take, true),
      local
        ? offlineWords(local, kept)
        : h("p", { class: "hint" }, "Photos are sent to this server only, and are not kept."),
    );
    const side = h(
      "div",
      { class: "side" },
      h("h1", { id: "locate-title", class: "unseen" }, "Locate photos"),
      this.welcome,
      h("div", { class: "side-head" }, this.status, this.progress, this.chooseMore),
      this.notices,
      this.list.element,
    );
    this.stage.append(this.map.element, this.legend.element);
    this.element.append(side, this.stage, this.panel.element);
    this.element.classList.add("is-empty");
    if (model.warning) this.notices.append(modelWarning(model.warning));
    acceptDrops(this.element, take);
    this.map.showCells(model.name).catch((error: unknown) => this.notices.append(errorNotice(error)));
  }

  private take({ photos, ignored }: Chosen): void {
    if (photos.length === 0) {
      announce(`No photos among ${plural(ignored, "file")}`);
      this.notices.replaceChildren(
        notice("note", "No photos were found", "JPEG, PNG, WebP, TIFF, GIF, HEIC and AVIF are read."),
      );
      return;
    }
    this.element.classList.remove("is-empty");
    const first = this.queue.photos.length;
    this.queue.add(photos);
    this.list.show(new Array<number>(this.queue.photos.length).fill(ROW_HEIGHT), Math.max(this.current, 0));
    announce(
      `${plural(photos.length, "photo")} added${ignored > 0 ? `, ${plural(ignored, "other file")} left out` : ""}`,
    );
    this.count();
    // The first photo is asked for by itself, with all probabilities, and then the others.
    void this.select(first);
    this.queue.start();
  }

  private async select(index: number): Promise<void> {
    const photo = this.queue.photos[index];
    if (!photo) return;
    if (this.current !== index) this.queue.forgetPosterior(this.current);
    this.current = index;
    this.explaining?.abort();
    if (this.list.index !== index) this.list.mark(index);
    this.panel.photo(photo.file);
    this.show(photo.answer, photo.failure);
    const answer = await this.queue.withPosterior(index).catch(() => null);
    if (this.current !== index || !answer) return;
    this.show(answer, photo.failure);
    announce(`${answer.photo}: ${answerWords(answer)}`);
  }

  private show(answer: Answer | null, failure: string | null): void {
    if (failure) this.panel.failure(failure);
    else if (answer) this.panel.answer(answer);
    else this.panel.waiting();
    const posterior = answer?.posterior ?? null;
    this.legend.show(posterior ? (posterior.probabilities[0] ?? null) : null);
    this.map.showPosterior(posterior);
    const marks = answer ? marksOf(answer) : [];
    this.map.showOverlay({
      marks,
      circles:
        answer?.certain && answer.certain.level !== "unknown"
          ? [{ at: answer.certain, km: answer.certain.radius_km, tone: "accent" }]
          : [],
    });
    if (answer?.posterior) this.look(answer);
  }

  /** A sure answer is looked at closely, an unsure one on the whole world. */
  private look(answer: Answer): void {
    if (answer.certain && answer.certain.level !== "unknown") {
      const near = (answer.predictions ?? []).slice(0, 1);
      this.map.fit([...near, ...(answer.truth ? [answer.truth] : [])], 420);
    } else this.map.showWorld();
  }

  private async explain(): Promise<void> {
    const photo = this.queue.photos[this.current];
    if (!photo) return;
    const index = this.current;
    this.explaining = new AbortController();
    this.panel.explaining();
    try {
      const explanation = await explain(photo.file, this.explaining.signal);
      if (this.current !== index) return;
      this.panel.explanation(explanation);
      announce("The photo now shows what its answer rests on");
    } catch (error) {
      if (this.current === index) this.panel.explainFailed(error);
    }
  }

  private changed(indexes: number[]): void {
    for (const index of indexes) {
      this.list.list.renew(index);
      const photo = this.queue.photos[index];
      if (index === this.current && photo && !photo.answer?.posterior) this.show(photo.answer, photo.failure);
    }
    if (this.dirty) return;
    this.dirty = true;
    requestAnimationFrame(() => {
      this.dirty = false;
      this.count();
    });
  }

  private count(): void {
    const { photos, finished, halted } = this.queue;
    const failed = photos.filter((it) => it.state === "failed").length;
    const done = finished === photos.length;
    this.status.textContent = done
      ? `${plural(photos.length, "photo")}${failed > 0 ? `, ${failed} without an answer` : ""}`
      : `${finished} of ${plural(photos.length, "photo")}`;
    this.progress.hidden = done;
    this.progress.value = photos.length > 0 ? finished / photos.length : 0;
    if (done && !this.done && photos.length > 1) announce(`${plural(photos.length, "photo")} located`);
    this.done = done;
    this.notices.replaceChildren();
    if (halted) {
      const again = button({ click: () => this.queue.resume() }, "Try again");
      this.notices.replaceChildren(errorNotice(halted, again));
    }
  }
}

/** What becomes of photos here, and whether the page needs a network any more. */
function offlineWords(local: LocalLocator, kept: Promise<boolean>): HTMLElement {
  const state = h("span", { role: "status" }, "The model is being loaded …");
  const done = (kept: boolean) =>
    (state.textContent = kept
      ? "The model is loaded, and the page now works without a network."
      : "The model is loaded. This browser does not keep the page for use without a network.");
  const failed = (error: unknown) => (state.textContent = error instanceof Error ? error.message : String(error));
  local.ready.then(() => kept).then(done, failed);
  return h("p", { class: "hint" }, "Photos stay in this browser: they are located here, and sent to nobody. ", state);
}

function marksOf(answer: Answer): Mark[] {
  const candidates = (answer.predictions ?? []).map((it, index): Mark => ({
    at: it,
    shape: "dot",
    tone: index === 0 ? "accent" : "muted",
    text: String(index + 1),
    ...(index === 0 ? { label: shortName(it) } : {}),
  }));
  const marks = candidates.reverse();
  if (answer.truth)
    marks.push({ at: answer.truth, shape: "star", tone: "truth", size: 7, label: "position in the file" });
  return marks;
}
