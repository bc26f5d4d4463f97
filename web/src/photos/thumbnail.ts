import { h } from "../ui/element.ts";

/** Photos that are decoded at the same time. */
const AT_ONCE = 2;

interface Task {
  file: File;
  side: number;
  done: (bitmap: ImageBitmap | null) => void;
}

const waiting: Task[] = [];
let running = 0;

/** Decodes the newest first: what has just come onto the screen is looked at. */
function work(): void {
  while (running < AT_ONCE) {
    const task = waiting.pop();
    if (!task) return;
    running += 1;
    createImageBitmap(task.file, { resizeWidth: task.side, resizeQuality: "medium" })
      .then(task.done, () => task.done(null))
      .finally(() => {
        running -= 1;
        work();
      });
  }
}

/**
 * A small picture of a photo. `release` frees its memory, or takes it from the queue; it is called when
 * the thumbnail leaves the screen.
 */
export function thumbnail(file: File, side: number): { element: HTMLElement; release: () => void } {
  const canvas = h("canvas", { class: "thumbnail", "aria-hidden": "true" });
  const context = canvas.getContext("bitmaprenderer");
  let released = false;
  const task: Task = {
    file,
    side: Math.round(side * Math.min(2, devicePixelRatio || 1)),
    done(bitmap) {
      if (!bitmap) return void canvas.classList.add("thumbnail-none");
      if (released) return bitmap.close();
      [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      context?.transferFromImageBitmap(bitmap);
      canvas.classList.add("thumbnail-shown");
    },
  };
  waiting.push(task);
  work();
  return {
    element: canvas,
    release() {
      released = true;
      const index = waiting.indexOf(task);
      if (index >= 0) waiting.splice(index, 1);
      context?.transferFromImageBitmap(null);
    },
  };
}
