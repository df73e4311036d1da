import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findNatsServer, howToInstall, startNatsServer } from '../../../../scripts/nats-server.mjs';
import { connectTransport } from './connect.js';

const folder = mkdtempSync(join(tmpdir(), 'lmd-connect-'));
const program = findNatsServer();
const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops) await stop();
  rmSync(folder, { recursive: true, force: true });
});

async function serverWith(...words: string[]): Promise<string> {
  const { url, stop } = await startNatsServer(program!, { words });
  stops.push(stop);
  return url.replace('nats://', '');
}

/** Whether the address and the environment let one in. */
async function joins(url: string, environment: Record<string, string> = {}): Promise<boolean> {
  const transport = await connectTransport(url, { environment });
  const { rank, leave } = await transport.members.join('group', 'name');
  await leave();
  await transport.close();
  return rank === 0;
}

describe('an address', () => {
  it.each(['4222', 'http://host:4222', 'nats://', 'nats://a,b'])('%s is refused', async (url) => {
    await expect(connectTransport(url, { environment: {} })).rejects.toMatchObject({ subject: 'server', value: url });
  });

  it('with a % that is no code is refused without its credentials', async () => {
    const connecting = connectTransport('nats://100%secret@host', { environment: {} });
    await expect(connecting).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'server', value: undefined });
    await expect(connecting).rejects.toThrow(/^The credentials of the address have a % .* Write %25 for %/);
  });

  it('where nobody listens is named without its credentials', async () => {
    const connecting = connectTransport('nats://user:secret@127.0.0.1:1', { environment: {} });
    await expect(connecting).rejects.toMatchObject({ code: 'TRANSPORT_FAILURE', subject: '127.0.0.1:1' });
    await expect(connecting).rejects.toThrow(/^NATS at 127.0.0.1:1 cannot be reached/);
  });
});

describe.skipIf(program === undefined)(`a server${program === undefined ? `: ${howToInstall}` : ''}`, () => {
  const refused = { code: 'TRANSPORT_FAILURE', message: expect.stringContaining('refuses the credentials') };

  it('with a token lets in those who have it', async () => {
    const host = await serverWith('--auth', 'secret');
    expect(await joins(`nats://secret@${host}`)).toBe(true);
    expect(await joins(`nats://${host}`, { NATS_TOKEN: 'secret' })).toBe(true);
    await expect(joins(`nats://wrong@${host}`)).rejects.toMatchObject(refused);
    await expect(joins(`nats://${host}`)).rejects.toMatchObject(refused);
  });

  it('with users lets in those who have the password', async () => {
    const host = await serverWith('--user', 'me', '--pass', 'p@ss');
    expect(await joins(`nats://me:p%40ss@${host}`)).toBe(true);
    expect(await joins(`nats://${host}`, { NATS_USER: 'me', NATS_PASSWORD: 'p@ss' })).toBe(true);
    await expect(joins(`nats://me:other@${host}`)).rejects.toMatchObject(refused);
  });

  it('without JetStream is refused, and says what to start', async () => {
    // The account of the user has none.
    const config = join(folder, 'accounts.conf');
    writeFileSync(config, 'accounts { A { users: [{ user: a, password: a }] } }\n');
    const host = await serverWith('-c', config);
    await expect(joins(`nats://a:a@${host}`)).rejects.toThrow('nats-server -js');
  });

  describe('with TLS', () => {
    // Certificates are for names.
    const named = async (...words: string[]) => (await serverWith(...words)).replace('127.0.0.1', 'localhost');
    const [ca, key, clientCertificate, clientKey] = ['ca', 'key', 'client', 'client-key'].map((name) =>
      join(folder, `${name}.pem`),
    ) as [string, string, string, string];
    beforeAll(async () => {
      const extensions = [
        { name: 'basicConstraints' as const, cA: true },
        { name: 'subjectAltName' as const, altNames: [{ type: 2 as const, value: 'localhost' }] },
      ];
      const server = await generate([{ name: 'commonName', value: 'server' }], { extensions });
      writeFileSync(ca, server.cert);
      writeFileSync(key, server.private);
      writeFileSync(clientCertificate, server.cert);
      writeFileSync(clientKey, server.private);
    });

    it('is one whose certificate the client knows', async () => {
      const host = await named('--tls', '--tlscert', ca, '--tlskey', key, '--auth', 'secret');
      expect(await joins(`tls://secret@${host}`, { NATS_CA: ca })).toBe(true);
      // The authority is not known.
      await expect(joins(`tls://secret@${host}`)).rejects.toMatchObject({ code: 'TRANSPORT_FAILURE' });
      await expect(joins(`tls://${host}`, { NATS_CA: ca })).rejects.toMatchObject(refused);
    });

    it('lets in clients whose certificate it knows, where it asks for one', async () => {
      const host = await named('--tlsverify', '--tlscert', ca, '--tlskey', key, '--tlscacert', ca);
      const own = { NATS_CA: ca, NATS_CERT: clientCertificate, NATS_KEY: clientKey };
      expect(await joins(`tls://${host}`, own)).toBe(true);
      await expect(joins(`tls://${host}`, { NATS_CA: ca })).rejects.toMatchObject({ code: 'TRANSPORT_FAILURE' });
    });
  });
});
