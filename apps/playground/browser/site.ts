import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright';
import { preview } from 'vite';
import { chromiumLaunch } from '../../../chromium.shared.ts';
import { buildPage } from '../scripts/build.mjs';

/** Of waiting for a step, in milliseconds: WebGPU in software is slow. */
const patience = 240_000;
const folder = fileURLToPath(new URL('..', import.meta.url));

export interface Site {
  readonly url: string;
  readonly browser: Browser;
  /** A page of its own profile. Its errors fail the test that calls `errors`. */
  open(fragment?: string, options?: BrowserContextOptions): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the page's scripts, and requests to other hosts. */
  readonly problems: readonly string[];
  /** Starts training and waits for the first step; gives the milliseconds in between. */
  train(): Promise<number>;
  step(): Promise<number>;
  waitForStep(step: number): Promise<void>;
  notices(): Promise<string>;
}

/** Builds the page and serves it on loopback. WebGPU is SwiftShader's, in software. */
export async function openSite(): Promise<Site> {
  await buildPage();
  const server = await preview({
    root: folder,
    configFile: join(folder, 'vite.config.ts'),
    logLevel: 'error',
    preview: { port: 0, host: '127.0.0.1' },
  });
  const url = server.resolvedUrls!.local[0]!;
  const browser = await chromium.launch(chromiumLaunch());
  return {
    url,
    browser,
    open: (fragment = '', options = {}) => openPage(browser, url, fragment, options),
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

async function openPage(
  browser: Browser,
  url: string,
  fragment: string,
  options: BrowserContextOptions,
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  context.on('request', (request) => {
    if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url())) problems.push(request.url());
  });
  await page.goto(url + fragment);
  const step = async () => {
    const text = (await page.locator('.speed').textContent()) ?? '';
    return Number(/Step ([\d,]+)/.exec(text)?.[1]?.replaceAll(',', '') ?? 0);
  };
  const waitForStep = async (wanted: number) => {
    const end = performance.now() + patience;
    while ((await step()) < wanted) {
      if (performance.now() > end) {
        throw new Error(`Step ${wanted} was not reached: ${await page.locator('#app').textContent()}`);
      }
      await page.waitForTimeout(20);
    }
  };
  return {
    page,
    context,
    problems,
    step,
    waitForStep,
    async train() {
      const began = performance.now();
      await page.locator('button.primary', { hasText: 'Train' }).click();
      await waitForStep(1);
      return performance.now() - began;
    },
    notices: async () => (await page.locator('.notices').textContent()) ?? '',
  };
}
