import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, stop } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
afterAll(() => stop());

/**
 * Bytes of a page's scripts that classify a picture, compressed, of the built packages as they are published: all that
 * the page loads at once, and the kernels in WebAssembly that it loads when the backend is made, where `kernels` names
 * them; without what it loads only for GPT-2's tokenizer or in Node.
 */
async function pageBytes(backend: string, kernels?: string): Promise<number> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `import { loadModel } from '@lmd/inference'; ${backend}
        const model = await loadModel('model.safetensors', { backend: await create() });
        console.log(await model.classify(document.querySelector('input').files[0]));`,
      resolveDir: here,
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    splitting: true,
    outdir: 'page',
    write: false,
    metafile: true,
    tsconfigRaw: '{}',
    logLevel: 'silent',
  });
  const entry = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint !== undefined)![0];
  const first = new Set<string>();
  const visit = (name: string) => {
    if (first.has(name)) return;
    first.add(name);
    for (const { path, kind } of metafile.outputs[name]!.imports) if (kind === 'import-statement') visit(path);
  };
  visit(entry);
  const loaded = Object.keys(metafile.outputs).filter((name) => kernels !== undefined && name.includes(kernels));
  expect(loaded).toHaveLength(kernels === undefined ? 0 : 1);
  loaded.forEach(visit);
  const nameOf = (path: string) => path.split(/[\\/]/).at(-1)!;
  const names = new Set([...first].map(nameOf));
  const files = outputFiles.filter(({ path }) => names.has(nameOf(path)));
  expect(files.length).toBe(first.size);
  return files.reduce((sum, { contents }) => sum + gzipSync(contents).length, 0);
}

describe('the code of a page that classifies, compressed, as esbuild bundles it', () => {
  it('with WebGPU is below 120 kB', async () => {
    const bytes = await pageBytes("import { createWebgpuBackend as create } from '@lmd/backends/webgpu';");
    console.log(`page with WebGPU: ${(bytes / 1000).toFixed(1)} kB`);
    expect(bytes).toBeLessThan(120_000);
  });

  it('with the cpu backend and its kernels in WebAssembly is below 120 kB', async () => {
    const create = "import { createCpuBackend as create } from '@lmd/backends/cpu';";
    for (const kernels of ['fused.generated', 'strict.generated']) {
      const bytes = await pageBytes(create, kernels);
      console.log(`page with cpu, ${kernels.split('.')[0]} multiply-add: ${(bytes / 1000).toFixed(1)} kB`);
      expect(bytes).toBeLessThan(120_000);
    }
  });

  it('with a backend of one’s own is below 72 kB', async () => {
    const bytes = await pageBytes('declare function create(): Promise<import("@lmd/core").Backend>;');
    console.log(`page without a backend: ${(bytes / 1000).toFixed(1)} kB`);
    expect(bytes).toBeLessThan(72_000);
  });
});
