import type { Answer, Explanation } from "../api/photos.ts";
import { distanceKm } from "../map/geodesic.ts";
import { candidatesTable } from "../ui/candidates.ts";
import { button, h } from "../ui/element.ts";
import { PhotoFigure } from "../ui/figure.ts";
import { certainWords, coordinates, kilometres, percent } from "../ui/format.ts";
import { icon } from "../ui/icons.ts";
import { errorNotice, notice } from "../ui/notice.ts";

/** The answer to one photo in words: the photo, the certain level, the candidates, the file's position. */
export class AnswerPanel {
  readonly element: HTMLElement;
  private readonly figure = new PhotoFigure();
  private readonly name = h("h2", { class: "answer-name" });
  private readonly body = h("div", { class: "answer-body" });
  private readonly why = h("div", { class: "answer-why" });
  private readonly button: HTMLButtonElement;
  private explained = false;

  /** Without `askWhy` the button is left out. `warning` says why the model's answers must not be trusted, if so. */
  constructor(
    askWhy: (() => void) | null,
    private readonly warning: string | null,
  ) {
    this.button = button(
      {
        click: () => {
          if (!this.explained) return askWhy?.();
          this.figure.clearHeat();
          this.reset();
        },
      },
      icon("eye"),
      "Show why",
    );
    this.button.setAttribute("aria-pressed", "false");
    this.element = h(
      "aside",
      // Without the button nothing in it can be focused, and it must be scrolled by keyboard.
      { class: "answer", "aria-label": "Answer", tabindex: askWhy ? undefined : "0" },
      this.figure.element,
      h("div", { class: "answer-head" }, this.name, askWhy ? this.button : null),
      this.why,
      this.body,
    );
  }

  photo(file: File): void {
    this.figure.showFile(file);
    this.name.textContent = file.name;
    this.name.title = file.name;
    this.reset();
  }

  waiting(): void {
    this.button.disabled = true;
    this.body.replaceChildren(h("p", { class: "hint" }, "The photo is being located …"));
  }

  failure(message: string): void {
    this.button.disabled = true;
    this.body.replaceChildren(notice("error", "No answer", message));
  }

  answer(answer: Answer): void {
    this.button.disabled = false;
    const certain = answer.certain;
    const words = certainWords(certain);
    this.body.replaceChildren(
      h("p", { class: "headline" }, words ?? "The model is not sure of any place"),
      h(
        "p",
        { class: "hint" },
        words && certain && certain.level !== "unknown"
          ? `with a probability of ${percent(certain.probability)}`
          : "No radius up to that of a continent reaches a probability of 50 %.",
      ),
      candidatesTable(answer, "Candidates for the photo's position"),
      ...truthLines(answer),
      ...(this.warning ? [modelWarning(this.warning)] : []),
    );
  }

  explaining(): void {
    this.button.disabled = true;
    this.why.replaceChildren(
      h("p", { class: "hint" }, "Parts of the photo are being hidden one after another …"),
    );
  }

  explanation(explanation: Explanation): void {
    this.figure.showHeat(explanation);
    this.explained = true;
    this.button.disabled = false;
    this.button.setAttribute("aria-pressed", "true");
    this.button.replaceChildren(icon("eye"), "Hide why");
    const least = Math.min(...explanation.values.flat());
    this.why.replaceChildren(
      h(
        "p",
        { class: "hint" },
        `Light parts matter most. The first answer has ${percent(explanation.probability)}; with the part hidden that matters most, ${percent(least)}.`,
      ),
    );
  }

  explainFailed(error: unknown): void {
    this.reset();
    this.why.replaceChildren(errorNotice(error));
  }

  private reset(): void {
    this.explained = false;
    this.button.disabled = false;
    this.button.setAttribute("aria-pressed", "false");
    this.button.replaceChildren(icon("eye"), "Show why");
    this.why.replaceChildren();
  }
}

export const modelWarning = (words: string): HTMLElement =>
  notice(
    "warning",
    "For demonstration only",
    `${words.charAt(0).toUpperCase()}${words.slice(1)}.`.replace(/\.\.$/, "."),
  );

function truthLines(answer: Answer): HTMLElement[] {
  const { truth, predictions } = answer;
  if (!truth) return [];
  const best = predictions?.[0];
  const km = truth.distance_km ?? (best ? distanceKm(truth, best) : null);
  return [
    h(
      "dl",
      { class: "facts" },
      h("dt", {}, "Position in the file"),
      h("dd", {}, coordinates(truth), h("span", { class: "hint" }, " unverified")),
      ...(km === null ? [] : [h("dt", {}, "From the first answer"), h("dd", {}, kilometres(km))]),
    ),
  ];
}
