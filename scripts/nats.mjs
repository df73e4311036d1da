// Starts a NATS server with JetStream on loopback, for trying @lmd/distributed/nats: npm run nats [-- --port 4222]

import { parseArgs } from 'node:util';
import { findNatsServer, howToInstall, startNatsServer } from './nats-server.mjs';

const usage = 'Usage: npm run nats [-- --port 4222]';

function portOf() {
  try {
    const { port, help } = parseArgs({
      options: { port: { type: 'string', default: '4222' }, help: { type: 'boolean', short: 'h' } },
    }).values;
    if (help !== true) return Number(port);
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
}

const port = portOf();
const program = findNatsServer();
if (program === undefined) {
  console.error(howToInstall);
  process.exit(1);
}
const server = await startNatsServer(program, { port });
console.log(`NATS with JetStream at ${server.url}. Its files are temporary. Ctrl-C stops it.`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.stop());
await server.ended;
