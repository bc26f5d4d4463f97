/** Longest wait for a new service worker to take over this page. */
const TAKE_OVER_MS = 2000;

/**
 * Keeps the site for use without a network. True when all its files are kept; false where that is not
 * possible: without https, without room, or in some private windows.
 */
export async function keepOffline(): Promise<boolean> {
  if (!("serviceWorker" in navigator)) return false;
  try {
    const registration = await navigator.serviceWorker.register("offline.js");
    if (!registration.active && !(await installed(registration.installing ?? registration.waiting))) return false;
    await takenOver();
    return true;
  } catch {
    return false;
  }
}

/** Whether a service worker gets all its files. */
function installed(worker: ServiceWorker | null): Promise<boolean> {
  return new Promise((resolve) => {
    const look = () => {
      if (worker?.state === "activated") resolve(true);
      if (!worker || worker.state === "redundant") resolve(false);
    };
    worker?.addEventListener("statechange", look);
    look();
  });
}

/** From then on what the page asks for comes from what is kept: the network is loaded once, not twice. */
function takenOver(): Promise<void> {
  return new Promise((resolve) => {
    if (navigator.serviceWorker.controller) return resolve();
    navigator.serviceWorker.addEventListener("controllerchange", () => resolve(), { once: true });
    setTimeout(resolve, TAKE_OVER_MS);
  });
}
