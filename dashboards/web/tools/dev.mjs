// A plant and the page before it, for developing: `npm run dev [-- --port 8090 --symbols 50 --rate 2000]`.

import { parseArgs } from "node:util";

import { Plant } from "./plant.mjs";
import { Site } from "./site.mjs";

const { values } = parseArgs({
  options: { port: { type: "string", default: "8090" }, symbols: { type: "string", default: "50" }, rate: { type: "string", default: "2000" } },
});
const plant = await Plant.start({ symbols: Number(values.symbols), rate: Number(values.rate) });
const site = await new Site(plant).listen(Number(values.port));
console.log(`${site.url} shows a simulated market`);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    await site.close();
    await plant.stop();
    process.exit(0);
  });
}
