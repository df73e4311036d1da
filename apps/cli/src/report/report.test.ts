import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../configuration/load.js';
import { presets } from '../presets/index.js';
import type { Curve } from './curves.js';
import type { PosteriorSummary } from './posterior-summary.js';
import { type ReportContent, renderReport } from './report.js';
import { histogramOf, momentsOf } from './statistics.js';

function curve(optimizer: string): Curve {
  const train = Array.from({ length: 2000 }, (_, index) => ({ x: index + 1, y: 2 * Math.exp(-index / 500) + 0.1 }));
  const validation = [500, 1000, 1500, 2000];
  return {
    optimizer,
    train,
    validationLoss: validation.map((x) => ({ x, y: 2 * Math.exp(-x / 500) + 0.12 })),
    validationAccuracy: validation.map((x) => ({ x, y: 1 - 0.5 * Math.exp(-x / 500) })),
    testLoss: { x: 2000, y: 0.13 },
    measured: {
      flipRate: [
        { x: 10, y: 0.2 },
        { x: 20, y: 0.1 },
      ],
    },
    testAccuracy: { x: 2000, y: 0.97 },
  };
}

function posterior(regularizer: string): PosteriorSummary {
  const half = (shift: number) => {
    const values = [Float32Array.from({ length: 500 }, (_, index) => shift + Math.sin(index))];
    return { ...momentsOf(values), histogram: histogramOf(values, [-5, 5], 40) };
  };
  const weight = { name: 'head.weight', elements: 500, logPriorMedian: -2, plus: half(-1), minus: half(-2) };
  return {
    optimizer: 'lmd',
    regularizer,
    regularization: 0.3,
    noise: 0.05,
    plus: half(-1),
    minus: half(-2),
    weights: [weight],
  };
}

function content(overrides: Partial<ReportContent> = {}): ReportContent {
  const result = {
    format: 'mxfp6_e3m2',
    validationAccuracy: 0.96,
    validationLoss: 0.14,
    testAccuracy: 0.97,
    testLoss: 0.13,
    seconds: 83.21,
    imagesPerSecond: 1234.5,
    peakMemoryBytes: 300 * 2 ** 20,
  };
  return {
    configuration: parseConfiguration(presets['first-light'], 'test'),
    results: [
      { optimizer: 'lmd', ...result },
      { optimizer: 'adamw', ...result },
    ],
    curves: [curve('lmd'), curve('adamw')],
    posteriors: [posterior('logNormalPrior')],
    environment: {
      date: '2025-01-31 12:00 UTC',
      machine: 'a <machine> & "more"',
      node: '20.0.0',
      device: 'wasm',
      model: 'vit',
      data: 'MNIST',
      versions: '@lmd/cli 0.1.0',
    },
    ...overrides,
  };
}

const voidTags = new Set(['meta', '!doctype']);

/** Checks that every tag is closed in order, that attributes are quoted, and that no text holds a bare `<` or `&`. */
function expectWellFormed(page: string): void {
  const open: string[] = [];
  const withoutStyle = page.replace(/<style>[\s\S]*?<\/style>/, '');
  const rest = withoutStyle.replace(
    /<(\/?)([a-zA-Z!][\w-]*)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*(\/?)>/g,
    (_, close, name, __, empty) => {
      const tag = (name as string).toLowerCase();
      if (close === '/') expect(open.pop()).toBe(tag);
      else if (empty !== '/' && !voidTags.has(tag)) open.push(tag);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]/);
  expect(rest.replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
}

describe('renderReport', () => {
  const page = renderReport(content());

  it('is well formed, escapes what it is given, and fetches nothing', () => {
    expectWellFormed(page);
    expect(page).toContain('a &lt;machine&gt; &amp; &quot;more&quot;');
    expect(page).not.toMatch(/https?:|\/\/|src=|href=|<script|<link|@import|url\(/);
  });

  it('shows both rules, the axes with their units, and the fitted parameters', () => {
    for (const text of [
      'lmd, training',
      'adamw, training',
      'cross-entropy (nats, log scale)',
      'optimizer step',
      'accuracy (%)',
      'log m (natural logarithm of the median)',
      'log-normal fitted to m⁺: μ = ',
      'prior: log-normal',
      'medians log m₀ of the prior (logNormalPrior, λ = 0.3)',
      '97.00 %',
      '300 MiB',
    ]) {
      expect(page).toContain(text);
    }
  });

  it('holds no number that is none, and stays small', () => {
    expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
    expect(page.length).toBeLessThan(150_000);
  });

  it('draws runs that have little to show', () => {
    const bare: Curve = {
      ...curve('lmd'),
      validationLoss: [],
      validationAccuracy: [],
      testLoss: undefined,
      testAccuracy: undefined,
    };
    const short = { ...bare, train: [{ x: 1, y: Number.NaN }] };
    for (const curves of [[bare], [short]]) {
      const small = renderReport(content({ curves, posteriors: [] }));
      expectWellFormed(small);
      expect(small).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  it('names a prior that it does not draw', () => {
    const other = renderReport(content({ posteriors: [posterior('powerPrior')] }));
    expect(other).not.toContain('prior: log-normal');
    expect(other).toContain('powerPrior');
  });

  it('stacks the results on a narrow screen, each value beside its title', () => {
    const results = page.slice(page.indexOf('<h2>Results</h2>'), page.indexOf('<h2>Loss</h2>'));
    expect(results).toContain('<table class="stacked">');
    expect(results).toContain('data-title="test accuracy"');
    expect(page).toMatch(/@media \(max-width: \d+px\) \{[^@]*\.stacked td::before/);
  });

  it('adapts to light and dark', () => {
    expect(page).toContain('@media (prefers-color-scheme: dark)');
  });
});
