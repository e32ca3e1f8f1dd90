// The server of the tests: answers each path by its number of earlier requests, and prints its port.

import { createServer } from "node:http";

const requests = new Map();

const server = createServer((request, response) => {
  const number = (requests.get(request.url) ?? 0) + 1;
  requests.set(request.url, number);
  response.setHeader("x-request-number", number);
  if (request.url.startsWith("/third-succeeds")) {
    response.statusCode = number < 3 ? 503 : 200;
  } else if (request.url.startsWith("/dated")) {
    // Without `Date`, the client compares with its own clock.
    response.sendDate = false;
    response.statusCode = 503;
    response.setHeader("retry-after", new Date(Date.now() + 100_000).toUTCString());
  } else {
    response.statusCode = 404;
  }
  response.end(`answer ${number}`);
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
