// Socket.IO: a room per symbol, WebSocket only.

const { createServer } = require("node:http");
const modules = process.env.NODE_PATH;
const { Server } = require(`${modules}/socket.io`);
const { pace } = require("../pace.js");

const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, pingInterval: 300_000 });
io.on("connection", (socket) => {
  socket.on("sub", (names) => {
    socket.join(names);
    socket.emit("ok");
  });
});

pace((symbol, text) => io.to(symbol).emit("update", JSON.parse(text)));
http.listen({ host: "127.0.0.1", port: 0, backlog: 8192 }, () => console.log(`ready ${http.address().port}`));
