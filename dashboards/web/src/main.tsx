// Begins: the page is there at once, and finds its way to the server.

import { effect } from "@preact/signals";
import { render } from "preact";

import { connection, onChange, replay, start } from "./feed/desk.js";
import { App } from "./view/app.js";
import { listenToKeys } from "./view/keys.js";
import { requestPaint, startPainting } from "./view/paint.js";

render(<App />, document.getElementById("app")!);
listenToKeys();
startPainting();
onChange(requestPaint);
effect(() => {
  void [connection.value, replay.playing.value];
  requestPaint();
});
void start();
