// Node's ws: a loop over those who want the symbol, as its documentation broadcasts. The text is made
// bytes once.

const { createServer } = require("node:http");
const modules = process.env.NODE_PATH;
const { WebSocketServer } = require(`${modules}/ws`);
const { pace } = require("../pace.js");

const readers = new Map();
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false, skipUTF8Validation: true });
server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.once("message", (names) => {
    for (const name of names.toString().split(",")) readers.get(name).add(socket);
    socket.on("close", () => readers.forEach((set) => set.delete(socket)));
    socket.send("ok");
  });
});

for (const symbol of pace((symbol, text) => {
  const bytes = Buffer.from(text);
  for (const socket of readers.get(symbol)) socket.send(bytes, { binary: false });
})) readers.set(symbol, new Set());
http.listen({ host: "127.0.0.1", port: 0, backlog: 8192 }, () => console.log(`ready ${http.address().port}`));
