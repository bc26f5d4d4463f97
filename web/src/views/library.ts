import { library, type Decision, type Library } from "../api/library.ts";
import type { LatLng } from "../api/photos.ts";
import type { ServerState } from "../api/state.ts";
import { WorldMap } from "../map/canvas.ts";
import { circle, distanceKm } from "../map/geodesic.ts";
import { mercator } from "../map/projection.ts";
import { announce } from "../ui/announce.ts";
import { Chooser } from "../ui/chooser.ts";
import { button, byTouch, h } from "../ui/element.ts";
import { plural, whole } from "../ui/format.ts";
import { icon } from "../ui/icons.ts";
import { empty, errorNotice } from "../ui/notice.ts";
import { LibraryDetail, libraryOverlay, neighbours } from "./library-detail.ts";
import {
  FILTERS,
  HEADING_HEIGHT,
  headingRow,
  libraryRows,
  PHOTO_HEIGHT,
  photoRow,
  type Filter,
  type LibraryRow,
} from "./library-rows.ts";
import { followLibraryKeys } from "./library-keys.ts";
import { LibraryStore } from "./library-store.ts";
import { WriteDialog } from "./library-write.ts";
import type { PageView } from "./view.ts";
import { withoutLibrary } from "./without.ts";

const POLL_MS = 1000;
/** The closest zoom to a photo's surroundings, in pixels per radian. */
const CLOSEST = 60_000;

/** What `library locate` proposes is reviewed: accepted, corrected, rejected, and then written. */
export class LibraryView implements PageView {
  readonly element = h("section", { class: "view library", "aria-labelledby": "library-title" });
  // Near by, shapes matter more than areas.
  private readonly map = new WorldMap({ label: "Place of the chosen photo", projection: mercator });
  private readonly notices = h("div", { class: "notices" });
  private readonly banner = h("p", { class: "map-banner", hidden: true });
  private readonly filters = h("div", { class: "filters", role: "group", "aria-label": "Photos to show" });
  private readonly list: Chooser;
  private readonly detail: LibraryDetail;
  private readonly dialog = new WriteDialog();
  private store: LibraryStore | null = null;
  private rows: LibraryRow[] = [];
  private filter: Filter = "open";
  private current: number | null = null;
  private setting: LatLng | null = null;

  static make(state: ServerState): PageView {
    return state.library ? new LibraryView() : { element: h("section", { class: "view" }, withoutLibrary()) };
  }

  private constructor() {
    this.detail = new LibraryDetail({
      accept: () => this.decide("accepted"),
      reject: () => this.decide("rejected"),
      correct: () => this.correct(!this.map.choosing),
      undo: () => this.undo(),
    });
    this.list = new Chooser({
      label: "Photos by day and place",
      roles: ["grid", "row"],
      render: (index) => this.renderRow(index),
      choose: (index) => this.choose(index),
      heading: (index) => this.rows[index]?.kind === "heading",
    });
    this.map.choose(undefined);
    this.map.confirmed = () => this.confirm();
    followLibraryKeys(() => this.store !== null && !this.element.hidden && !this.dialog.element.open, {
      a: () => this.decide("accepted"),
      r: () => this.decide("rejected"),
      c: () => this.correct(true),
      u: () => this.undo(),
      g: () => this.acceptGroup(),
      j: () => this.step(1),
      k: () => this.step(-1),
      Escape: () => this.correct(false),
    });
    void this.load();
  }

  private async load(): Promise<void> {
    try {
      const data = await library();
      if (data.state === "ready") return this.ready(data);
      if (data.state === "failed") {
        const again = button({ click: () => void this.load() }, "Try again");
        return this.element.replaceChildren(
          h(
            "div",
            { class: "alone" },
            errorNotice(new Error(data.error ?? "The library could not be located"), again),
          ),
        );
      }
      this.working(data);
      setTimeout(() => void this.load(), POLL_MS);
    } catch (error) {
      const again = button({ click: () => void this.load() }, "Try again");
      this.element.replaceChildren(h("div", { class: "alone" }, errorNotice(error, again)));
    }
  }

  private working({ folder, progress }: Library): void {
    const bar = h("progress", { max: "1", "aria-label": "Progress of the library" });
    if (progress && progress.total > 0) bar.value = progress.done / progress.total;
    const words = progress
      ? `${progress.stage}: ${whole(progress.done)} of ${whole(progress.total)}`
      : "Starting";
    this.element.replaceChildren(empty("library", `${folder} is being located`, words, bar));
  }

  private ready(data: Library): void {
    this.store = new LibraryStore(
      data,
      () => this.changed(),
      (error) => this.notices.replaceChildren(errorNotice(error)),
    );
    const side = h(
      "div",
      { class: "side" },
      h(
        "div",
        { class: "side-head" },
        h(
          "div",
          { class: "library-title" },
          h("h1", { id: "library-title" }, data.folder),
          button({ class: "button", click: () => void this.write() }, icon("next"), "Write …"),
        ),
        this.filters,
      ),
      this.notices,
      this.list.element,
    );
    this.element.replaceChildren(
      side,
      h("div", { class: "stage" }, this.map.element, this.banner),
      this.detail.element,
      this.dialog.element,
    );
    this.show(null);
  }

  /** Draws the list anew, and chooses a photo: the given one, else the first. */
  private show(id: number | null): void {
    const { store } = this;
    if (!store) return;
    this.showFilters(store);
    this.rows = libraryRows(store.photos, this.filter);
    const wanted = this.rows.findIndex((it) => it.kind === "photo" && it.id === id);
    const index = wanted >= 0 ? wanted : this.rows.findIndex((it) => it.kind === "photo");
    const heights = this.rows.map((it) => (it.kind === "heading" ? HEADING_HEIGHT : PHOTO_HEIGHT));
    const scroll = this.list.element.scrollTop;
    this.list.show(heights);
    this.list.element.scrollTop = scroll;
    this.list.element.classList.toggle("list-empty", index < 0);
    if (index >= 0) this.list.mark(index);
    this.choose(index);
  }

  private showFilters(store: LibraryStore): void {
    const focused = document.activeElement?.getAttribute("data-filter");
    this.filters.replaceChildren(
      ...FILTERS.map(([filter, words]) => {
        const count = filter === "all" ? store.photos.length : store.count(filter);
        const element = button(
          { class: "filter", click: () => this.choosing(filter) },
          words,
          h("span", {}, whole(count)),
        );
        element.setAttribute("aria-pressed", String(filter === this.filter));
        element.dataset["filter"] = filter;
        return element;
      }),
    );
    if (focused) this.filters.querySelector<HTMLElement>(`[data-filter=${focused}]`)?.focus();
  }

  private choosing(filter: Filter): void {
    this.filter = filter;
    this.list.element.scrollTop = 0;
    this.show(this.current);
  }

  private renderRow(index: number) {
    const row = this.rows[index];
    const photo = row?.kind === "photo" ? this.store?.photos[row.id] : undefined;
    if (photo) return photoRow(photo);
    if (row?.kind !== "heading") return { element: h("div") };
    const open = this.openOf(row.ids);
    return headingRow(row, open.length, () => this.acceptAll(open));
  }

  private openOf(ids: readonly number[]): number[] {
    return ids.filter((id) => this.store?.photos[id]?.decision === "open" && this.store.photos[id]?.found);
  }

  private choose(index: number): void {
    const row = this.rows[index];
    this.current = row?.kind === "photo" ? row.id : null;
    this.correct(false);
    const photo = this.current === null ? undefined : this.store?.photos[this.current];
    if (!photo || !this.store) return;
    const at = photo.position ?? photo.found ?? photo.known;
    if (!at) return;
    const km = Math.max(1, photo.found?.radius_km ?? 1);
    const near = neighbours(this.store.photos, photo.id).filter((it) => distanceKm(it, at) < 3 * km);
    this.map.fit([...circle(at, km, 8), ...near], CLOSEST);
  }

  private showDetail(): void {
    const { store } = this;
    const photo = this.current === null ? null : (store?.photos[this.current] ?? null);
    this.detail.show(photo, store?.canUndo ?? false, this.map.choosing);
    this.map.showOverlay(photo && store ? libraryOverlay(store.photos, photo, this.setting) : {});
  }

  private decide(decision: Decision, position: LatLng | null = null): void {
    const photo = this.current === null ? undefined : this.store?.photos[this.current];
    if (!photo || photo.known || (!photo.found && decision !== "corrected")) return;
    const next = this.nextPhoto();
    const words = { accepted: "accepted", rejected: "rejected", corrected: "corrected", open: "open again" }[
      decision
    ];
    announce(`${photo.photo} ${words}`);
    this.current = next;
    this.store?.set([photo.id], decision, position);
  }

  /** The photo that comes into view after a decision. */
  private nextPhoto(): number | null {
    const next = this.rows[this.list.beside(this.list.index, 1)];
    if (next?.kind === "photo" && next.id !== this.current) return next.id;
    const before = this.rows[this.list.beside(this.list.index, -1)];
    return before?.kind === "photo" && this.filter === "open" ? before.id : this.current;
  }

  private acceptAll(ids: number[]): void {
    if (ids.length === 0) return;
    const last = this.rows.findIndex((it) => it.kind === "photo" && it.id === ids[ids.length - 1]);
    const next = this.rows[this.list.beside(last, 1)];
    if (next?.kind === "photo") this.current = next.id;
    announce(`${plural(ids.length, "photo")} accepted`);
    this.store?.set(ids, "accepted");
  }

  private acceptGroup(): void {
    const group = this.rows.find(
      (it) => it.kind === "heading" && this.current !== null && it.ids.includes(this.current),
    );
    if (group?.kind === "heading") this.acceptAll(this.openOf(group.ids));
  }

  private undo(): void {
    const ids = this.store?.undo() ?? [];
    if (ids.length > 0) announce(`Undone: ${plural(ids.length, "photo")}`);
    const [first] = ids;
    if (first !== undefined) this.show(first);
  }

  private changed(): void {
    const focused = this.list.element.contains(document.activeElement);
    this.show(this.current);
    if (focused) this.list.focus();
  }

  /** Begins or ends the correction of a position on the map. */
  private correct(on: boolean): void {
    if (!on && this.map.choosing && this.map.focused) this.list.focus();
    this.setting = null;
    this.banner.hidden = !on;
    const photo = this.current === null ? undefined : this.store?.photos[this.current];
    const start = photo?.position ?? photo?.found ?? null;
    this.map.choose(on ? (at, moving) => this.place(at, moving) : undefined, start);
    if (on) {
      this.banner.textContent = byTouch()
        ? "Tap where the photo was taken."
        : "Click where the photo was taken. With the keyboard: arrow keys move the mark, Enter sets it, Escape cancels.";
      announce(this.banner.textContent);
      this.map.focus();
    }
    this.showDetail();
  }

  private place(at: LatLng, moving: boolean): void {
    this.setting = at;
    if (moving) this.showDetail();
    else this.confirm();
  }

  private confirm(): void {
    const at = this.setting;
    if (at) this.decide("corrected", at);
  }

  private step(by: number): void {
    const index = this.list.beside(this.list.index, by);
    this.list.mark(index, true);
    this.choose(index);
  }

  private async write(): Promise<void> {
    const { store } = this;
    if (!store) return;
    await this.dialog.open(async () => {
      await store.settled;
      return store.data.version;
    });
  }
}
