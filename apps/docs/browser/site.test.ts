import type { BrowserContextOptions, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Auditor, openAuditor, type Scores } from './lighthouse.js';
import { openSite, type Site } from './site.js';

/** The folder of Lighthouse, which `scripts/browser-tests.mjs` installs. */
const lighthouse = process.env.LMD_LIGHTHOUSE;
const missing = 'LMD_LIGHTHOUSE names no Lighthouse; scripts/browser-tests.mjs says why it could not be installed.';

/** A page of each kind. */
const pages = [
  '',
  '404.html',
  'docs/tutorial.html',
  'docs/own-data.html',
  'docs/theory.html',
  'docs/studies/README.html',
  'docs/performance.html',
  'docs/decisions/0001-two-layers.html',
  'packages/core/README.html',
  'apps/cli/CONFIGURATION.html',
  'api/index.html',
  'api/modules/_lmd_core.html',
  'api/interfaces/_lmd_core.DrawKey.html',
  'api/functions/_lmd_core.createOperations.html',
];
const views = [1280, 390].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
);

let site: Site;
let auditor: Auditor;
beforeAll(async () => {
  site = await openSite();
  if (lighthouse !== undefined) auditor = await openAuditor(lighthouse, site.port);
});
afterAll(() => site.close());

/** A page of its own profile, the requests it makes to other hosts, and its errors. */
async function open(path: string, options: BrowserContextOptions = {}) {
  const context = await site.browser.newContext(options);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await context.route(
    (url) => !url.href.startsWith(site.url) && !/^(blob|data):/.test(url.href),
    (route) => {
      problems.push(route.request().url());
      return route.abort();
    },
  );
  await page.goto(site.url + path);
  return { page, context, problems };
}

/**
 * Waits until the scripts of a page have started: they draw the page of a missing one, and name the switch of the
 * colours last.
 */
async function whole(page: Page) {
  await page.waitForFunction(
    () =>
      document.querySelector('main, [role="main"]') !== null &&
      document.querySelector('.VPSwitchAppearance:not([title]), .VPSwitchAppearance[title=""]') === null,
  );
}

function expectHigh({ accessibility, bestPractices, failed }: Scores, what: string) {
  const all = `${what}: accessibility ${accessibility}, best practices ${bestPractices}\n${failed.join('\n')}`;
  expect(Math.min(accessibility, bestPractices), all).toBeGreaterThanOrEqual(95);
}

describe('accessibility', () => {
  it('axe finds nothing in a page of each kind, and none scrolls sideways', async ({ skip }) => {
    skip(lighthouse === undefined, missing);
    for (const { width, colorScheme } of views) {
      const { page, context, problems } = await open('', { viewport: { width, height: 860 }, colorScheme });
      for (const path of pages) {
        const what = `/${path}, ${width} pixels wide, ${colorScheme}`;
        await page.goto(site.url + path);
        await whole(page);
        expect(await auditor.axe(page), what).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth), what).toBeLessThanOrEqual(width);
      }
      expect(problems).toEqual([]);
      await context.close();
    }
  });

  it('Lighthouse gives a page of each kind at least 95', async ({ skip }) => {
    skip(lighthouse === undefined, missing);
    for (const path of pages.filter((one) => one !== '404.html').concat('playground/index.html')) {
      expectHigh(await auditor.load(site.url + path), `/${path}`);
    }
  });

  it('axe and Lighthouse find nothing in the screens of the playground while it has a run', async ({ skip }) => {
    skip(lighthouse === undefined, missing);
    for (const colorScheme of ['light', 'dark'] as const) {
      // In a window of its own address, by which Lighthouse finds it.
      const { page, context, problems } = await open(`playground/index.html#device=wasm&batch=8&steps=25`, {
        viewport: { width: 390, height: 860 },
        colorScheme,
      });
      await page.locator('button.primary', { hasText: 'Train' }).click();
      await page.getByRole('button', { name: 'Resume' }).waitFor();
      for (const [screen, part] of [
        ['Train', '.uplot'],
        ['Weights', '[aria-label^="Histogram"]'],
        ['Use', '.sheet canvas'],
      ] as const) {
        await page.getByRole('button', { name: screen, exact: true }).click();
        await page.locator(part).first().waitFor();
        const what = `the screen ${screen}, ${colorScheme}`;
        expect(await auditor.axe(page), what).toEqual([]);
        expectHigh(await auditor.shown(page), what);
      }
      expect(problems).toEqual([]);
      await context.close();
    }
  });
});

describe('search', () => {
  it('answers without a request to another host, and with the keyboard', async () => {
    const { page, context, problems } = await open('');
    await whole(page);
    await page.keyboard.press('Control+k');
    const input = page.locator('#localsearch-input');
    await input.fill('posterior sample');
    await page.locator('#localsearch-list [role="option"]').first().waitFor();
    // The index is loaded: now the server may be gone too.
    await context.setOffline(true);
    await input.fill('log-normal');
    const results = page.locator('#localsearch-list [role="option"]');
    await results.filter({ hasText: 'Theory' }).first().waitFor();
    expect(await results.count()).toBeGreaterThan(3);
    await context.setOffline(false);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/(docs|packages|apps)\//);
    expect(problems).toEqual([]);
    await context.close();
  });

  it('finds a symbol of the API without a request to another host', async () => {
    const { page, context, problems } = await open('api/index.html');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.locator('#tsd-search-input').fill('createOperations');
    await page.locator('#tsd-search-results li', { hasText: 'createOperations' }).first().waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/createOperations/i);
    expect(problems).toEqual([]);
    await context.close();
  });
});
