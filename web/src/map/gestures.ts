import type { WorldMap } from "./canvas.ts";

/** A pointer that moved no further than this has clicked, in pixels. */
const CLICK = 5;

/** Pan by dragging, zoom by the wheel, by two fingers and by a double click, choose by a click. */
export function followPointers(map: WorldMap, surface: HTMLElement): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let moved = 0;

  const place = (event: MouseEvent) => {
    const box = surface.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  surface.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (pointers.size === 0) moved = 0;
    pointers.set(event.pointerId, place(event));
    surface.setPointerCapture(event.pointerId);
    map.halt();
  });

  surface.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const spread = (p: { x: number; y: number }) => Math.hypot(p.x - other.x, p.y - other.y);
      map.view.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
      const factor = spread(now) / Math.max(1, spread(before));
      map.view.zoom(factor, (now.x + other.x) / 2, (now.y + other.y) / 2);
      moved = Infinity;
    } else {
      moved += Math.hypot(now.x - before.x, now.y - before.y);
      if (moved > CLICK) map.view.pan(now.x - before.x, now.y - before.y);
    }
    pointers.set(event.pointerId, now);
    map.redraw();
  });

  surface.addEventListener("pointerup", (event) => {
    const at = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (at && moved <= CLICK) map.pick(map.view.toPosition(at.x, at.y));
  });
  surface.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));

  surface.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      map.halt();
      const { x, y } = place(event);
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
      const amount = Math.max(-240, Math.min(240, event.deltaY * lines));
      // A pinch on a touch pad arrives as a wheel with the control key and small steps.
      map.view.zoom(Math.exp(-amount * (event.ctrlKey ? 0.01 : 0.0018)), x, y);
      map.redraw();
    },
    { passive: false },
  );

  surface.addEventListener("dblclick", (event) => {
    if (map.choosing) return;
    const { x, y } = place(event);
    map.view.zoom(2, x, y);
    map.redraw();
  });
}
