// Starts a NATS server with JetStream on loopback, for trying @lmd/distributed/nats: npm run nats [-- --port 4222]

import { parseArgs } from 'node:util';
import { findNatsServer, howToInstall, startNatsServer } from './nats-server.mjs';

const { values } = parseArgs({ options: { port: { type: 'string', default: '4222' } } });
const program = findNatsServer();
if (program === undefined) {
  console.error(howToInstall);
  process.exit(1);
}
const server = await startNatsServer(program, { port: Number(values.port) });
console.log(`NATS with JetStream at ${server.url}. Its files are temporary. Ctrl-C stops it.`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.stop());
await server.ended;
