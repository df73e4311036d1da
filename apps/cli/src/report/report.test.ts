import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../configuration/load.js';
import { presets } from '../presets/index.js';
import type { TrialResult } from '../run/types.js';
import { conclusionOf } from './conclusion.js';
import type { Curve } from './curves.js';
import { pictureOf } from './picture.js';
import type { PosteriorSummary } from './posterior-summary.js';
import type { Predictions } from './predictions-schema.js';
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

const picture = pictureOf(Float32Array.of(0, 1, 2, 3), 2, 2, 1);

function predictions(overrides: Partial<Predictions> = {}): Predictions {
  const right = { index: 0, label: 0, predicted: 0, probability: 0.9, picture };
  const wrong = { index: 1, label: 1, predicted: 0, probability: 0.8, picture };
  return {
    optimizer: 'lmd',
    split: 'test',
    examples: 3,
    of: 10,
    classes: 2,
    classNames: ['<cat>', 'dog'],
    confusion: [
      { label: 0, predicted: 0, count: 2 },
      { label: 1, predicted: 0, count: 1 },
    ],
    samples: [right],
    worst: [wrong],
    ...overrides,
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
    predictions: [predictions()],
    texts: [],
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

const voidTags = new Set(['meta', 'img', '!doctype']);

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
    const withoutPictures = page.replace(/src="data:image\/png;base64,[A-Za-z0-9+/]*=*"/g, '');
    expect(withoutPictures).not.toMatch(/https?:|\/\/|src=|href=|<script|<link|@import|url\(/);
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

describe('predictions', () => {
  it('have pictures, the truth of each mistake, and a matrix by class name', () => {
    const page = renderReport(content());
    expect(page).toContain('3 evenly spaced of 10 test images');
    expect(page).toContain('✓ &lt;cat&gt; 90.00 %');
    expect(page).toContain('is dog');
    expect(page).toMatch(/<th scope="row">dog<\/th><td class="miss" style="--share: 100%">1<\/td>/);
  });

  it('have indices where the names are not known, and the most frequent confusions of many classes', () => {
    const { classNames: _, ...unnamed } = predictions({ classes: 100 });
    const page = renderReport(content({ predictions: [unnamed] }));
    expect(page).toContain('Most frequent confusions');
    expect(page).not.toContain('class="confusion"');
    expect(page).toContain('is 1');
  });

  it('say when there is no mistake', () => {
    expect(renderReport(content({ predictions: [predictions({ worst: [] })] }))).toContain('None of these images');
  });
});

describe('a language model', () => {
  const text = content().results.map((result) => ({ ...result, tokensPerSecond: 10, testPerplexity: 1.14 }));

  it('has texts, escaped, and perplexity, which images have not', () => {
    const texts = [{ optimizer: 'lmd', prompt: 'My fellow ', text: '<citizens>' }];
    const page = renderReport(content({ results: text, predictions: [], texts }));
    expectWellFormed(page);
    expect(page).toContain('<b>My fellow </b>&lt;citizens&gt;');
    expect(page).toContain('(perplexity 1.14)');
    expect(renderReport(content())).not.toMatch(/perplexity/i);
  });
});

describe('conclusionOf', () => {
  const [lmd, adamw] = content().results as [TrialResult, TrialResult];

  it('names the best and the next, and what a single seed cannot tell', () => {
    expect(conclusionOf([lmd, { ...adamw, testAccuracy: 0.98 }])).toBe(
      'adamw has the highest test accuracy, 98.00 %; lmd follows with 97.00 %. A single seed does not rank optimizers.',
    );
  });

  it('names no best of equal results', () => {
    expect(conclusionOf([lmd, { ...adamw, testAccuracy: lmd.testAccuracy!, testLoss: 9 }])).toBe(
      'lmd and adamw have the same test accuracy, 97.00 %. A single seed does not rank optimizers.',
    );
  });

  it('is about validation without a test, and about the finite', () => {
    const { testAccuracy: _, testLoss: __, ...untested } = lmd;
    expect(conclusionOf([untested])).toBe('lmd reaches a validation accuracy of 96.00 %.');
    expect(conclusionOf([{ ...lmd, testLoss: Number.NaN }])).toBe('No optimizer reached a finite test loss.');
  });
});

describe('pictureOf', () => {
  it('is a PNG of the size of the input, reduced beyond 96 pixels', () => {
    const sizeOf = (base64: string) => {
      const bytes = Buffer.from(base64, 'base64');
      expect(bytes.subarray(1, 4).toString()).toBe('PNG');
      return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
    };
    expect(sizeOf(pictureOf(new Float32Array(28 * 28), 28, 28, 1))).toEqual([28, 28]);
    expect(sizeOf(pictureOf(new Float32Array(224 * 224 * 3), 224, 224, 3))).toEqual([74, 74]);
  });

  it('has the pixels of the input, stretched to the range of a byte', async () => {
    const { default: sharp } = await import('sharp');
    const values = Float32Array.of(-1, 0, 1, 1, 0, -1, 0, 0, 0, 1, 1, 1);
    const { data, info } = await sharp(Buffer.from(pictureOf(values, 2, 2, 3), 'base64'))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([2, 2, 3]);
    expect([...data]).toEqual([0, 128, 255, 255, 128, 0, 128, 128, 128, 255, 255, 255]);
  });
});
