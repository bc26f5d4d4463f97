import { writeLibrary, type WriteReport } from "../api/library.ts";
import { announce } from "../ui/announce.ts";
import { button, h } from "../ui/element.ts";
import { coordinates, kilometres, plural } from "../ui/format.ts";
import { errorNotice } from "../ui/notice.ts";
import { VirtualList } from "../ui/list.ts";

const ROW_HEIGHT = 52;

/** The dialog that writes positions: first what would be written, then, when confirmed, the files. */
export class WriteDialog {
  readonly element = h("dialog", { class: "dialog", "aria-labelledby": "write-title" });
  private readonly body = h("div", { class: "dialog-body" });
  private readonly foot = h("div", { class: "actions" });
  private readonly close = button({ click: () => this.element.close() }, "Cancel");

  constructor() {
    this.element.append(h("h2", { id: "write-title" }, "Write positions"), this.body, this.foot);
  }

  /** Asks the server what it would write, when it has all decisions. */
  async open(version: () => Promise<number>): Promise<void> {
    this.close.textContent = "Cancel";
    this.body.replaceChildren(h("p", { class: "hint" }, "The server checks what would be written …"));
    this.foot.replaceChildren(this.close);
    this.element.showModal();
    try {
      this.plan(await writeLibrary(await version(), false), version);
    } catch (error) {
      this.body.replaceChildren(errorNotice(error));
    }
  }

  private plan(report: WriteReport, version: () => Promise<number>): void {
    const count = report.files.length;
    this.body.replaceChildren(
      h(
        "p",
        {},
        count > 0
          ? `${plural(count, "file")} would be written: XMP sidecars beside the photos. The photos themselves stay as they are. Nothing has been written yet.`
          : "There is nothing to write. Accept or correct photos first.",
      ),
      ...filesList(report),
      ...skippedLines(report),
    );
    const apply = button(
      { class: "button button-primary", click: () => void this.apply(apply, version) },
      `Write ${plural(count, "file")}`,
    );
    this.foot.replaceChildren(...(count > 0 ? [apply] : []), this.close);
    announce(`${plural(count, "file")} would be written`);
  }

  private async apply(apply: HTMLButtonElement, version: () => Promise<number>): Promise<void> {
    apply.disabled = true;
    try {
      const report = await writeLibrary(await version(), true);
      this.close.textContent = "Close";
      this.body.replaceChildren(
        h("p", { class: "headline" }, `${plural(report.files.length, "file")} written`),
        ...(report.journal
          ? [
              h("p", {}, "To take the changes back, byte for byte:"),
              h("pre", { tabindex: "0" }, h("code", {}, `planet library undo ${report.journal}`)),
            ]
          : []),
        ...skippedLines(report),
      );
      this.foot.replaceChildren(this.close);
      announce(`${plural(report.files.length, "file")} written`);
    } catch (error) {
      apply.disabled = false;
      this.body.prepend(errorNotice(error));
    }
  }
}

function filesList({ files }: WriteReport): HTMLElement[] {
  if (files.length === 0) return [];
  const list = new VirtualList({
    label: "Files that would be written",
    class: "write-files",
    roles: ["list", "listitem"],
    render: (index) => {
      const file = files[index];
      const words = file
        ? `${coordinates(file)} ± ${kilometres(file.radius_m / 1000)}${file.name === "" ? "" : ` · ${file.name}`}`
        : "";
      return {
        element: h(
          "div",
          { class: "write-file" },
          h("div", {}, file?.file ?? ""),
          h("div", { class: "hint" }, words),
        ),
      };
    },
  });
  list.element.tabIndex = 0;
  list.element.setAttribute("role", "region");
  list.element.setAttribute("aria-label", "Files that would be written");
  // The list measures itself when it is in the document.
  requestAnimationFrame(() => list.show(new Array<number>(files.length).fill(ROW_HEIGHT)));
  return [list.element];
}

/** Why nothing is written for the other photos, with numbers. */
function skippedLines({ skipped }: WriteReport): HTMLElement[] {
  const reasons = new Map<string, number>();
  for (const { reason } of skipped) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  if (reasons.size === 0) return [];
  const lines = [...reasons].map(([reason, count]) => h("li", {}, `${plural(count, "photo")}: ${reason}`));
  return [h("h3", {}, "Left out"), h("ul", {}, ...lines)];
}
