import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright';

/** What is used of a result of Lighthouse. */
interface LighthouseResult {
  readonly categories: Readonly<
    Record<string, { readonly score: number | null; readonly auditRefs: readonly { readonly id: string }[] }>
  >;
  readonly audits: Readonly<
    Record<string, { readonly title: string; readonly score: number | null; readonly details?: { items?: unknown[] } }>
  >;
}

interface Lighthouse {
  navigation(page: undefined, url: string, options: object): Promise<{ readonly lhr: LighthouseResult }>;
  snapshot(page: unknown, options: object): Promise<{ readonly lhr: LighthouseResult }>;
}

interface Puppeteer {
  connect(options: object): Promise<{
    pages(): Promise<readonly { url(): string }[]>;
    disconnect(): Promise<void>;
  }>;
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly help: string;
    readonly nodes: readonly { readonly target: readonly unknown[]; readonly html: string }[];
  }[];
}

const categories = ['accessibility', 'best-practices'];

/** Scores of 0 to 100, and the audits that failed. */
export interface Scores {
  readonly accessibility: number;
  readonly bestPractices: number;
  readonly failed: readonly string[];
}

export interface Auditor {
  /** Loads an address in a tab of its own, as a phone does, and audits it. */
  load(url: string): Promise<Scores>;
  /** Audits what a page shows now. */
  shown(page: Page): Promise<Scores>;
  /** What axe finds in a page, but for what it calls minor. */
  axe(page: Page): Promise<readonly string[]>;
}

/**
 * Opens what `dev/engines/lighthouse` installs.
 *
 * @param folder of the package `lighthouse`, beside which are `puppeteer-core` and `axe-core`
 * @param port on which the browser listens for DevTools
 */
export async function openAuditor(folder: string, port: number): Promise<Auditor> {
  const load = (...path: string[]) => import(/* @vite-ignore */ pathToFileURL(join(folder, ...path)).href);
  const lighthouse: Lighthouse = await load('core', 'index.js');
  const puppeteer: Puppeteer = await load('..', 'puppeteer-core', 'lib', 'esm', 'puppeteer', 'puppeteer-core.js');
  const axe = readFileSync(join(folder, '..', 'axe-core', 'axe.min.js'), 'utf8');
  const options = { flags: { port, onlyCategories: categories, logLevel: 'error', output: 'json' } };
  return {
    load: async (url) => scoresOf((await lighthouse.navigation(undefined, url, options)).lhr),
    async shown(page) {
      const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${port}`, defaultViewport: null });
      try {
        const same = (await browser.pages()).filter((one) => one.url() === page.url());
        if (same.length !== 1) throw new Error(`${same.length} pages have the address ${page.url()}.`);
        return scoresOf((await lighthouse.snapshot(same[0], options)).lhr);
      } finally {
        await browser.disconnect();
      }
    },
    async axe(page) {
      await page.evaluate(`${axe};0`);
      const { violations } = await page.evaluate<AxeResult>("axe.run(document, { resultTypes: ['violations'] })");
      return violations
        .filter(({ impact }) => impact !== 'minor')
        .map(({ id, impact, help, nodes }) => `${impact} ${id}: ${help}: ${nodes[0]!.target.join(' ')}`);
    },
  };
}

function scoresOf({ categories, audits }: LighthouseResult): Scores {
  const score = (name: string) => Math.round(100 * categories[name]!.score!);
  const refs = Object.values(categories).flatMap(({ auditRefs }) => auditRefs.map(({ id }) => audits[id]!));
  return {
    accessibility: score('accessibility'),
    bestPractices: score('best-practices'),
    failed: refs
      .filter((audit) => audit.score !== null && audit.score < 1)
      .map(({ title, details }) => `${title}: ${JSON.stringify(details?.items?.[0] ?? '').slice(0, 400)}`),
  };
}
