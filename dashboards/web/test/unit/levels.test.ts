// The rows of a ladder, exactly.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Level } from "@tickwire/client";

import { group, groupingOf, ladderSide, middle, scaleBars, tickOf } from "../../src/model/levels.js";

const BIDS: Level[] = [["68900.07", "1.5"], ["68900.02", "0.25"], ["68899.99", "2"], ["68898.50", "0.0001"]];
const ASKS: Level[] = [["68900.08", "1"], ["68900.10", "2.5"], ["68900.11", "0.1"]];

test("bids fall to their step, asks rise to theirs", () => {
  const step = groupingOf("0.01", 10);
  assert.deepEqual(group(BIDS, "bid", step), [["68900.00", "1.7500"], ["68899.90", "2.0000"], ["68898.50", "0.0001"]]);
  assert.deepEqual(group(ASKS, "ask", step), [["68900.10", "3.5"], ["68900.20", "0.1"]]);
  assert.deepEqual(group(BIDS, "bid", groupingOf("0.01", 1)).map(([price]) => price), BIDS.map(([price]) => price));
});

test("negative prices are grouped away from the middle, too", () => {
  assert.deepEqual(group([["-0.5", "1"], ["-1.5", "1"]], "bid", groupingOf("1", 1)), [["-1", "1"], ["-2", "1"]]);
});

test("totals begin at the best level, also where the best are passed over", () => {
  const rows = ladderSide(BIDS, "bid", groupingOf("0.01", 1), 2, 1);
  assert.deepEqual(rows.map(({ price, total }) => [price, total]), [["68900.02", "1.7500"], ["68899.99", "3.7500"]]);
});

test("bars of both sides have one scale", () => {
  const grouping = groupingOf("0.01", 1);
  const [bids, asks] = [ladderSide(BIDS, "bid", grouping, 10), ladderSide(ASKS, "ask", grouping, 10)];
  scaleBars(bids, asks);
  assert.equal(Math.max(...[...bids, ...asks].map(({ depth }) => depth)), 1);
  assert.equal(Math.max(...[...bids, ...asks].map(({ share }) => share)), 1);
  scaleBars([], []);
});

test("the middle is exact", () => {
  assert.deepEqual(middle("68900.07", "68900.08"), { spread: "0.01", mid: "68900.075", isCrossed: false });
  assert.deepEqual(middle("10", "12"), { spread: "2", mid: "11", isCrossed: false });
  assert.equal(middle("10.5", "10.5").isCrossed, true);
});

test("where nobody says the tick, prices do", () => {
  assert.equal(tickOf(BIDS), "0.01");
  assert.equal(tickOf([["5", "1"]]), "1");
});
