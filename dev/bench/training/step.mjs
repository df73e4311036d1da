// node step.mjs FOLDER [cpu | tfjs-node]: runs the training steps of a task on the cpu backend, or on the engine given
// by LMD_TFJS_NODE, and prints JSON, like dev/peers/training.py for PyTorch: figures, or `outOfMemory`. It is a
// separate process, so that its peak memory is measured separately.

import { existsSync, readFileSync } from 'node:fs';
import { valueAndGradients } from '@lmd/autograd';
import { createCpuBackend } from '@lmd/backends/cpu';
import { adamw, createOperations, isLmdError, lmd, parameterGroups, weightOf } from '@lmd/core';
import { lmdParameter, precisionPreset } from '@lmd/models';
import { batchNames, readTask, writeGradients } from './task-folder.mjs';
import { lossOf, modelOf } from './tasks.mjs';

const { task, read } = readTask(process.argv[2]);
const { rule, recomputation, checkedSteps, timedSteps, threads } = task;
const engine = process.argv[3] ?? 'cpu';
const cpu = await createCpuBackend({ threads });
const backend = engine === 'tfjs-node' ? await onTfjsNode() : cpu;
const ops = createOperations(backend);
const model = modelOf(task, recomputation);
const precision = precisionPreset(task.format);
let state;

async function onTfjsNode() {
  const { createTfjsNodeBackend, loadTfjsNode } = await import('@lmd/backends/tfjs-node');
  return createTfjsNodeBackend(await loadTfjsNode(process.env.LMD_TFJS_NODE), { cpu });
}

function optimizerOf(noise) {
  const rest = adamw(rule.rest);
  if (rule.name === 'adamw') return rest;
  const { learningRate, beta1, beta2, regularization, priorMedianFloor, state: stored } = rule;
  const options = { learningRate, beta1, beta2, regularization, priorMedianFloor, noise, ...stored };
  return parameterGroups([
    { match: lmdParameter, optimizer: lmd(options) },
    { match: '*', optimizer: rest },
  ]);
}

const load = (name) => {
  const { data, shape, dtype } = read(name);
  return ops.fromData(data, shape, dtype);
};

/** The state's tensors of each weight, by its name. */
function byWeight(tensors) {
  const groups = new Map();
  for (const [name, tensor] of Object.entries(tensors)) {
    const weight = weightOf(name);
    groups.set(weight, [...(groups.get(weight) ?? []), tensor]);
  }
  return groups;
}

/** Value and gradients of the loss at drawn weights. */
function pass(drawn, batch, key) {
  return valueAndGradients(ops, drawn, (recording, weights) =>
    lossOf(task, model, recording, weights, batch, { training: true, precision, key }),
  );
}

/** One step from `state`, which it replaces; returns the loss. */
async function step(optimizer, batch) {
  const loss = ops.scope(() => {
    const key = { seed: 1, step: state.step, sample: 0 };
    const drawn = optimizer.draw(ops, state, key);
    const { value, gradients } = pass(drawn, batch, key);
    ops.dispose(Object.values(drawn));
    // Weight by weight, so that two states and the gradients are never in memory together.
    const old = byWeight(state.tensors);
    const free = (weight) => {
      ops.dispose([...old.get(weight), gradients[weight]]);
      old.delete(weight);
    };
    const next = optimizer.update(ops, state, [{ key, gradients }], free);
    for (const tensor of Object.values(next.tensors)) ops.keep(tensor);
    for (const weight of [...old.keys()]) free(weight);
    state = next;
    return ops.keep(value);
  });
  const [value] = await ops.read(loss);
  ops.dispose(loss);
  return value;
}

/** Peak memory of this program only: on Linux, `resourceUsage` starts with that of the parent process. */
function peakBytes() {
  const status = '/proc/self/status';
  if (!existsSync(status)) return process.resourceUsage().maxRSS * 1024;
  return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(status, 'utf8'))[1]);
}

async function measure() {
  const batch = Object.fromEntries(batchNames.filter((name) => name in task.arrays).map((name) => [name, load(name)]));
  const initial = Object.fromEntries(Object.keys(model.parameters).map((name) => [name, load(name)]));
  // The medians are initialized for the noise of the timed steps; the checked steps sample without noise.
  state = await optimizerOf(rule.noise).init(ops, initial);
  if (task.comparesGradients) {
    const { value, gradients } = pass(initial, batch, { seed: 1, step: 0, sample: 0 });
    await writeGradients(ops, process.argv[2], 'lmd', gradients);
    ops.dispose([value, ...Object.values(gradients)]);
  }
  ops.dispose(initial);
  const losses = [];
  const silent = optimizerOf(0);
  for (let i = 0; i < checkedSteps; i++) losses.push(await step(silent, batch));
  const optimizer = optimizerOf(rule.noise);
  const milliseconds = [];
  for (let i = 0; i < timedSteps; i++) {
    const start = performance.now();
    await step(optimizer, batch);
    milliseconds.push(performance.now() - start);
  }
  const runtime = `${backend.device}, Node ${process.versions.node}`;
  return { losses, milliseconds, peakBytes: peakBytes(), runtime };
}

/** Out of memory is an error of this kind; any other error is a failure. */
function outOfMemory(error) {
  if (!isLmdError(error, 'BACKEND_FAILURE') || !/out of memory/.test(error.message)) throw error;
  return { outOfMemory: error.message };
}

console.log(JSON.stringify(await measure().catch(outOfMemory)));
