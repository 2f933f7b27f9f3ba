// Bun: topics of its own server, as its documentation recommends for broadcasting.

const { pace } = require("../pace.js");

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 400 })),
  websocket: {
    perMessageDeflate: false,
    sendPings: false,
    idleTimeout: 0,
    message(socket, names) {
      for (const name of names.split(",")) socket.subscribe(name);
      socket.send("ok");
    },
  },
});

pace((symbol, text) => server.publish(symbol, text));
console.log(`ready ${server.port}`);
