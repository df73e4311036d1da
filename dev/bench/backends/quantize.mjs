import { createCpuBackend } from '@lmd/backends/cpu';
import { formats } from '@lmd/mx-formats';
import { race, report } from '../lib/report.mjs';
import { torchao } from './pytorch.mjs';

/** `fakeQuantize` on one thread, compared with torchao's emulation on one thread, to codes and back. */
export async function benchQuantize(rounds, quick) {
  const log2OfValues = quick ? 12 : 22;
  const peers = quick ? {} : torchao(log2OfValues, 3);
  if (peers === undefined) return;
  const cpu = await createCpuBackend({ threads: 1 });
  const x = cpu.randomNormal([2 ** (log2OfValues - 12), 4096], { seed: 1, stream: 0, step: 0, sample: 0 });
  for (const name of quick ? ['mxfp6_e3m2'] : Object.keys(peers)) {
    /** @type {Required<Omit<import('@lmd/core').FakeQuantizeOptions, 'key'>>} */
    const options = { format: formats[name], axis: 1, rounding: 'nearestEven', scaleMode: 'floor' };
    const { ours } = await race({ ours: () => cpu.dispose(cpu.fused.fakeQuantize(x, options)) }, rounds);
    const title = `fakeQuantize ${name}, 2^${log2OfValues}, one thread`;
    if (quick) report(title, ours, 'ms');
    else report(title, ours, 'ms', 'torchao, one thread', peers[name] / ours, 20);
  }
  cpu.close();
}
