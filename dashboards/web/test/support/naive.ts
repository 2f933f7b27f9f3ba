// A page as one writes it in an hour: a cell written for each message, and a flash restarted by a forced layout. To compare with.

export const NAIVE_HTML = `<!doctype html><meta charset="utf-8"><title>naive</title><style>
body{font:12px sans-serif}td{padding:0 6px;text-align:right}@keyframes f{from{background:#fd6}to{background:none}}.f{animation:f .3s}</style>
<p>newest trade <b id="newest"></b></p><table id="t"></table><script src="/naive.js"></script>`;

export const NAIVE_JS = `
const query = new URLSearchParams(location.search);
const cells = ["last_price", "change_percent", "bid_price", "ask_price", "last_size", "volume"];
const rows = new Map();
function row(symbol) {
  if (!rows.has(symbol)) {
    const tr = document.getElementById("t").insertRow();
    tr.insertCell().textContent = symbol;
    rows.set(symbol, cells.map(() => tr.insertCell()));
  }
  return rows.get(symbol);
}
fetch("/v1/guests", { method: "POST" }).then((answer) => answer.json()).then(({ token }) => {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/v1/stream", ["tickwire.v1.json", "bearer." + token]);
  socket.onopen = () => {
    socket.send(JSON.stringify({ op: "subscribe", channels: ["ticker"], symbols: ["*"], conflate_ms: Number(query.get("conflate") ?? 0) }));
    socket.send(JSON.stringify({ op: "subscribe", channels: ["trades"], symbols: ["BTC-USD"] }));
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (!message.data) return;
    for (const record of message.data) {
      if (message.channel === "trades") document.getElementById("newest").textContent = record.ts_event;
      if (message.channel !== "ticker") continue;
      row(record.symbol).forEach((cell, at) => {
        const text = record[cells[at]] ?? "";
        if (cell.textContent === text) return;
        cell.textContent = text;
        cell.classList.remove("f");
        void cell.offsetWidth;
        cell.classList.add("f");
      });
    }
  };
});`;
