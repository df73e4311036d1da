import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright';
import { serve } from 'vitepress';
import { chromiumLaunch } from '../../../chromium.shared.ts';
import { buildSite } from '../scripts/build.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));

export interface Site {
  /** Ends with a slash. */
  readonly url: string;
  readonly browser: Browser;
  /** On which the browser listens for DevTools. */
  readonly port: number;
  close(): Promise<void>;
}

/** Builds the site and serves it, and starts a browser. */
export async function openSite(): Promise<Site> {
  buildSite('pipe');
  const port = await freePort();
  const { server } = await serve({ root: folder, port: await freePort() });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server of the site has no port.');
  const { args, ...launch } = chromiumLaunch();
  const browser = await chromium.launch({ ...launch, args: [...args, `--remote-debugging-port=${port}`] });
  return {
    url: `http://localhost:${address.port}/`,
    browser,
    port,
    async close() {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve((address as { readonly port: number }).port));
    });
  });
}
