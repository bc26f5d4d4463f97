import type { WorldMap } from "./canvas.ts";

const PAN = 60;
const NUDGE = 4;
const NUDGE_FAR = 32;

const ARROWS: Record<string, [number, number] | undefined> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/**
 * Keys of a map that has the focus: arrows move it; where a position is being chosen, they move that
 * position instead (with Shift, further). Plus and minus zoom about the middle, 0 shows the world.
 */
export function followKeys(map: WorldMap, surface: HTMLElement): void {
  surface.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow && map.choosing) {
      const far = event.shiftKey ? NUDGE_FAR : NUDGE;
      map.nudge(arrow[0] * far, arrow[1] * far);
    } else if (arrow) {
      map.halt();
      map.view.pan(-arrow[0] * PAN, -arrow[1] * PAN);
    } else if (event.key === "+" || event.key === "=") {
      map.zoomBy(1.5);
    } else if (event.key === "-" || event.key === "_") {
      map.zoomBy(1 / 1.5);
    } else if (event.key === "0") {
      map.showWorld();
    } else if (event.key === "Enter" && map.choosing) {
      map.confirmed?.();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    map.redraw();
  });
}
