import type { ServerState } from "../api/state.ts";
import { h } from "../ui/element.ts";
import type { PageView } from "./view.ts";
import { withoutReport } from "./without.ts";

/** The report of `planet evaluate`. Its page is shown in a frame that can run nothing. */
export class CompareView implements PageView {
  readonly element = h("section", { class: "view compare", "aria-label": "Compare" });

  static make(state: ServerState): PageView {
    return new CompareView(state.report);
  }

  private constructor(report: boolean) {
    this.element.append(report ? frame() : withoutReport());
  }
}

function frame(): HTMLElement {
  return h(
    "div",
    { class: "report" },
    h(
      "div",
      { class: "report-head" },
      h("h1", {}, "Report of the evaluation"),
      h("a", { class: "button", href: "api/report", target: "_blank", rel: "noopener" }, "Open on its own"),
    ),
    h("iframe", { src: "api/report", title: "Report of planet evaluate", sandbox: "" }),
  );
}
