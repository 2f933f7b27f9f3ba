// What a browser knows of the network and of being looked at.

import type { Off } from "./emitter.js";

type Listens = Pick<EventTarget, "addEventListener" | "removeEventListener">;

/** Where there is a page (or a worker), its events; in Node there are none. */
export interface Surroundings {
  document?: Listens & { readonly visibilityState: string };
  addEventListener?: EventTarget["addEventListener"];
  removeEventListener?: EventTarget["removeEventListener"];
  navigator?: { readonly onLine?: boolean };
}

/** Calls `wake` when the network comes or goes and when the page is seen again, until what is returned is called. */
export function watchPage(surroundings: Surroundings, wake: (why: string) => void): Off {
  const online = (): void => wake("the network is back");
  const offline = (): void => wake("the network is gone");
  const seen = (): void => {
    if (surroundings.document?.visibilityState === "visible") wake("the page is seen again");
  };
  surroundings.addEventListener?.("online", online);
  surroundings.addEventListener?.("offline", offline);
  surroundings.document?.addEventListener("visibilitychange", seen);
  return () => {
    surroundings.removeEventListener?.("online", online);
    surroundings.removeEventListener?.("offline", offline);
    surroundings.document?.removeEventListener("visibilitychange", seen);
  };
}

/** Whether the machine says that it has no network. Where nothing is known, there is one. */
export function isOffline(surroundings: Surroundings): boolean {
  return surroundings.navigator?.onLine === false;
}
