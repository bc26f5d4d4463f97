import type { ServerState } from "../api/state.ts";
import { h } from "../ui/element.ts";
import { commands, empty } from "../ui/notice.ts";
import type { PageView } from "./view.ts";

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

function withoutReport(): HTMLElement {
  return empty(
    "compare",
    "How good is the model?",
    "The report of an evaluation has accuracies with confidence intervals beside an ideal classifier and trivial baselines, a map of errors, confusions and examples. Write one, and start the server with it:",
    commands(
      ["planet evaluate --model MODEL --dataset DATASET -o report", "evaluates the model on photos that it has not seen in training"],
      ["planet serve --model MODEL --report report/index.html", "shows the report here"],
    ),
  );
}
