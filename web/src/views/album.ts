import { locateAlbum, type AlbumProgress } from "../api/album.ts";
import type { AlbumPhoto, AlbumResult, LatLng } from "../api/photos.ts";
import type { Model, ServerState } from "../api/state.ts";
import { WorldMap } from "../map/canvas.ts";
import { Legend } from "../map/legend.ts";
import { acceptDrops, chooseButtons, type Chosen } from "../photos/drop.ts";
import { announce } from "../ui/announce.ts";
import { Chooser } from "../ui/chooser.ts";
import { button, h } from "../ui/element.ts";
import { percent, plural } from "../ui/format.ts";
import { icon } from "../ui/icons.ts";
import { errorNotice, notice } from "../ui/notice.ts";
import { AlbumPanel, albumOverlay, albumTable, type Side } from "./album-panel.ts";
import { STRIP_WIDTH, stripPhoto } from "./album-strip.ts";
import type { PageView } from "./view.ts";
import { withoutModel } from "./without.ts";

/** The server's limits of an album. */
const [FEWEST, MOST] = [2, 1000];

const SCHEMES: Record<string, string> = {
  single: "Each photo alone",
  average: "Average: the mean of all photos, for albums of one place",
  hmm: "Hidden Markov model: how people move between photos",
  lstm: "LSTM: from the first photo to the last",
  "lstm-offset-1": "LSTM, one photo ahead",
  "lstm-offset-2": "LSTM, two photos ahead",
  "lstm-repeat": "LSTM that sees the album twice",
  "lstm-repeat-25": "LSTM that sees 25 photos twice",
  blstm: "LSTM from both ends",
  "blstm-25": "LSTM from both ends of 25 photos",
};

/** Photos of one person are located together: what each says alone against what the album says. */
export class AlbumView implements PageView {
  readonly element = h("section", { class: "view album is-empty", "aria-labelledby": "album-title" });
  private readonly map = new WorldMap({ label: "Places of the album" });
  private readonly legend = new Legend();
  private readonly panel = new AlbumPanel((side) => this.showCells(side));
  /** The photo that is looked at. */
  private current = -1;
  private readonly strip: Chooser;
  private readonly status = h("p", { class: "status" });
  private readonly progress = h("progress", { max: "1", value: "0", "aria-label": "Progress of the album" });
  private readonly notices = h("div", { class: "notices" });
  private readonly scheme: HTMLSelectElement;
  private readonly start: HTMLButtonElement;
  private readonly table = h("div", { class: "album-table" });
  private files: File[] = [];
  private result: AlbumResult | null = null;
  /** The file of each photo of the result. */
  private ordered: (File | null)[] = [];
  private running: AbortController | null = null;

  static make(state: ServerState): PageView {
    const { model } = state;
    return model ? new AlbumView(model) : { element: h("section", { class: "view" }, withoutModel(state)) };
  }

  private constructor(model: Model) {
    const take = (chosen: Chosen) => this.take(chosen);
    this.scheme = h(
      "select",
      { id: "album-scheme" },
      ...model.schemes.map((it) => h("option", { value: it }, SCHEMES[it] ?? it)),
    );
    this.start = button(
      { class: "button button-primary", click: () => void this.toggle() },
      "Locate the album",
    );
    this.strip = new Chooser({
      label: "Photos by time",
      direction: "horizontal",
      class: "strip",
      render: (index) => stripPhoto(this.result?.photos[index] ?? null, this.ordered[index] ?? null),
      choose: (index) => this.select(index),
    });
    this.progress.hidden = true;
    const welcome = h(
      "div",
      { class: "welcome" },
      h("div", { class: "welcome-mark" }, icon("album")),
      h("h2", {}, "Photos of one journey"),
      h(
        "p",
        {},
        "Drop an album here: 2 to 1,000 photos of one person. A photo that says little alone is located by those around it.",
      ),
      chooseButtons(take, true),
      h("p", { class: "hint" }, "Photos are sent to this server only, and are not kept."),
    );
    this.element.append(
      h("h1", { id: "album-title", class: "unseen" }, "Locate an album"),
      h(
        "div",
        { class: "album-head" },
        h("div", { class: "album-count" }, this.status, chooseButtons(take, false)),
        h("label", { class: "field", for: "album-scheme" }, h("span", {}, "Scheme"), this.scheme),
        this.start,
        this.progress,
      ),
      this.notices,
      h(
        "div",
        { class: "album-body" },
        welcome,
        h("div", { class: "stage" }, this.map.element, this.legend.element),
        this.panel.element,
      ),
      this.strip.element,
      this.table,
    );
    acceptDrops(this.element, take);
    this.map.showCells(model.name).catch((error: unknown) => this.notices.append(errorNotice(error)));
  }

  private take({ photos, ignored }: Chosen): void {
    if (photos.length === 0) {
      this.notices.replaceChildren(
        notice("note", "No photos were found", "JPEG, PNG, WebP, TIFF, GIF, HEIC and AVIF are read."),
      );
      return;
    }
    const files = [...this.files, ...photos];
    this.files = files.slice(0, MOST);
    this.result = null;
    this.start.replaceChildren("Locate the album");
    this.ordered = this.files;
    this.element.classList.remove("is-empty");
    this.element.classList.remove("has-result");
    this.table.replaceChildren();
    this.notices.replaceChildren();
    if (files.length > MOST)
      this.notices.append(
        notice("warning", `An album has at most ${MOST} photos`, `The first ${MOST} are used.`),
      );
    this.status.textContent = plural(this.files.length, "photo");
    this.start.disabled = this.files.length < FEWEST;
    if (this.start.disabled)
      this.notices.append(notice("note", "An album needs at least two photos", "Add another one."));
    this.map.showOverlay({});
    this.map.showPosterior(null);
    this.legend.show(null);
    this.strip.show(new Array<number>(this.files.length).fill(STRIP_WIDTH));
    announce(
      `${plural(photos.length, "photo")} added${ignored > 0 ? `, ${plural(ignored, "other file")} left out` : ""}`,
    );
  }

  private async toggle(): Promise<void> {
    if (this.running) return this.running.abort();
    this.running = new AbortController();
    this.start.replaceChildren("Stop");
    this.progress.hidden = false;
    this.progress.removeAttribute("value");
    this.notices.replaceChildren();
    this.status.textContent = `Sending ${plural(this.files.length, "photo")} …`;
    try {
      const result = await locateAlbum(
        this.files,
        this.scheme.value,
        (progress) => this.advance(progress),
        this.running.signal,
      );
      this.show(result);
    } catch (error) {
      const stopped = error instanceof DOMException && error.name === "AbortError";
      if (!stopped) this.notices.replaceChildren(errorNotice(error));
    }
    this.running = null;
    this.progress.hidden = true;
    this.status.textContent = plural(this.files.length, "photo");
    this.start.replaceChildren(this.result ? "Locate again" : "Locate the album");
  }

  /** The server works while photos arrive: the bar never goes back. */
  private advance(progress: AlbumProgress): void {
    const share = "sent" in progress ? progress.sent : progress.done / this.files.length;
    this.progress.value = Math.max(share, this.progress.value);
    this.status.textContent =
      "sent" in progress
        ? `Sent: ${percent(progress.sent)}`
        : `${progress.done} of ${plural(this.files.length, "photo")}`;
  }

  private show(result: AlbumResult): void {
    this.result = result;
    this.ordered = matched(result.photos, this.files);
    this.element.classList.add("has-result");
    this.strip.show(new Array<number>(result.photos.length).fill(STRIP_WIDTH), 0);
    this.table.replaceChildren(albumTable(result.photos));
    this.select(0);
    this.map.fit(this.places(), 300);
    announce(`${plural(result.photos.length, "photo")} located together`);
  }

  private select(index: number): void {
    const photo = this.result?.photos[index];
    if (!photo || !this.result) return;
    this.current = index;
    this.panel.show(photo, this.ordered[index] ?? null);
    this.showCells(this.panel.side);
    this.map.showOverlay(albumOverlay(this.result.photos, index));
    const [alone] = photo.alone.predictions ?? [];
    this.map.include([...this.places(), ...(alone ? [alone] : [])], 300);
  }

  /** The cells of what the photo says alone, or of what the album says of it. */
  private showCells(side: Side): void {
    const posterior = this.result?.photos[this.current]?.[side].posterior ?? null;
    this.legend.show(posterior?.probabilities[0] ?? null);
    this.map.showPosterior(posterior);
  }

  /** The first answers of the album. */
  private places(): LatLng[] {
    return this.result?.photos.flatMap((it) => it.album.predictions?.slice(0, 1) ?? []) ?? [];
  }
}

/** The file of each answer. Names can repeat among folders: each file is used once. */
function matched(photos: readonly AlbumPhoto[], files: readonly File[]): (File | null)[] {
  const byName = new Map<string, File[]>();
  for (const file of files) byName.set(file.name, [...(byName.get(file.name) ?? []), file]);
  return photos.map((it) => byName.get(it.photo)?.shift() ?? null);
}
