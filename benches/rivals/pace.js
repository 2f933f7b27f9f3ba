// The open loop of the schedule, for the rivals in JavaScript: what every server of the bench publishes
// and when. `publish(symbol, text)` is called for each update that is due, `turn()` after each batch.

const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");

const BATCH = 1024;

const wall = () => performance.timeOrigin + performance.now();

/** RFC 3339 with nine digits, from milliseconds with a fraction. */
function stamp(ms) {
  const micros = Math.floor((ms % 1) * 1000).toString().padStart(3, "0");
  return `${new Date(ms).toISOString().slice(0, -1)}${micros}000Z`;
}

function pace(publish) {
  const { symbols, order } = JSON.parse(readFileSync(process.argv[2]));
  const sequences = symbols.map(() => 0);
  let rate = 0, began = 0, published = 0, place = 0, timer;

  function update(at) {
    const n = order[place++ % order.length];
    const sequence = ++sequences[n];
    const cents = (sequence % 100).toString().padStart(2, "0");
    publish(symbols[n], `{"symbol":"${symbols[n]}","sequence":${sequence},"bid_price":"100.${cents}",` +
      `"bid_size":"1.500","ask_price":"101.${cents}","ask_size":"0.310",` +
      `"ts_event":"${stamp(at)}","ts_recv":"${stamp(wall())}"}`);
  }

  function turn() {
    const due = Math.min(Math.floor(((wall() - began) * rate) / 1000), published + BATCH);
    for (; published < due; published++) update(began + ((published + 1) * 1000) / rate);
    const rest = began + ((published + 1) * 1000) / rate - wall();
    timer = setTimeout(turn, Math.max(0, rest));
  }

  createInterface({ input: process.stdin })
    .on("line", (line) => {
      clearTimeout(timer);
      [rate, began, published] = [Number(line.split(" ")[1]), wall(), 0];
      if (rate > 0) turn();
    })
    .on("close", () => process.exit(0));
  return symbols;
}

module.exports = { pace };
