// Exit code 0 when this container's program answers on /healthz, 1 when it does not. The port is the program's own setting.
const { env } = process;
const port = env.WORKER_PORT || env.API_PORT || env.PORT;
const options = { host: '127.0.0.1', port, path: '/healthz', timeout: 4_000 };
const fail = (reason) => {
  console.error(`unhealthy: ${reason}`);
  process.exit(1);
};
const request = require('node:http').get(options, (response) => {
  response.resume();
  if (response.statusCode === 200) process.exit(0);
  fail(`/healthz answers ${response.statusCode}`);
});
request.on('timeout', () => fail('no answer within 4 s'));
request.on('error', (error) => fail(error.message));
