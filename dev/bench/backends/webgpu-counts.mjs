import { adamw, createOperations, lmd, parameterGroups } from '@lmd/core';

/** Device-independent counts of a training step on WebGPU. Uses no built-ins of Node or of browsers. */

// By path: they depend on this package for their tests, so that it cannot depend on them.
const { lmdParameter, precisionPreset, vit, vitPreset } = await import('@lmd/models');
const { valueAndGradients } = await import('@lmd/autograd');

const optimizerKernels = /^(lmdDraw|lmdUpdate|adamwUpdate)/;

/** Statistics of the first step and of the third. */
async function stepsOn(backend, name, batch) {
  const model = vit(vitPreset(name));
  const ops = createOperations(backend);
  const side = name === 'tiny' ? [28, 28, 1] : [32, 32, 3];
  const images = ops.randomNormal([batch, ...side], { seed: 3, stream: 0, step: 0, sample: 0 });
  const labels = ops.fromData(Int32Array.from({ length: batch }, (_, i) => i % 10));
  const optimizer = parameterGroups([
    { match: lmdParameter, optimizer: lmd({ learningRate: 1e-3 }) },
    { match: '*', optimizer: adamw({ learningRate: 1e-3 }) },
  ]);
  const precision = precisionPreset('mxfp6_e3m2');
  let state = await optimizer.init(ops, model.initialize(ops, 1));
  const steps = [];
  for (let step = 0; step < 3; step++) {
    backend.resetStatistics();
    const key = { seed: 1, step, sample: 0 };
    const weights = optimizer.draw(ops, state, key);
    const { value, gradients } = valueAndGradients(ops, weights, (tape, drawn) =>
      tape.mean(tape.crossEntropy(model.forward(tape, drawn, images, { training: true, precision, key }), labels)),
    );
    const next = optimizer.update(ops, state, [{ key, gradients }]);
    await ops.read(value);
    ops.dispose([value, ...[weights, gradients, state.tensors].flatMap(Object.values)]);
    state = next;
    steps.push(backend.statistics());
  }
  return { first: steps[0], later: steps[2] };
}

function ofOptimizer({ dispatchesByKernel }) {
  const counts = Object.entries(dispatchesByKernel).filter(([kernel]) => optimizerKernels.test(kernel));
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

/**
 * Rows as `measureWebgpu` gives them, of a step of a Vision Transformer under LMD in MXFP6.
 *
 * @param open makes a backend with the options that it is given
 */
export async function countWebgpu(open, names = ['tiny'], batch = 8) {
  const rows = [];
  for (const name of names) {
    const report = (what, value, unit, peer = null, ratio = null) =>
      rows.push({ name: `step of ViT ${name}, ${what}`, value, unit, peer, ratio, target: null, met: null });
    const [together, apart] = [await open({}), await open({ groupedElements: 0 })];
    const { first, later } = await stepsOn(together, name, batch);
    const { later: single } = await stepsOn(apart, name, batch);
    for (const backend of [together, apart]) backend.close();
    const beside = 'each tensor separately';
    report('dispatches', later.dispatches, '', beside, single.dispatches / later.dispatches);
    report('of draws and updates', ofOptimizer(later), 'dispatches', beside, ofOptimizer(single) / ofOptimizer(later));
    report('gradients copied together', later.copies, 'copies');
    report('bytes that dispatches move', later.movedBytes / 1e6, 'MB', beside, single.movedBytes / later.movedBytes);
    report('bytes copied', later.copiedBytes / 1e6, 'MB');
    report('submissions', later.submissions, '');
    report('uploads', later.uploads, '');
    report('readbacks', later.readbacks, '');
    report('bytes read back', later.readBytes, 'B');
    report('pipelines compiled in the first step', first.pipelines, '');
    report('pipelines compiled in a later step', later.pipelines, '');
  }
  return rows;
}
