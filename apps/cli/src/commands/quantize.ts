import { LmdError, type Rounding, type ScaleMode, sizeOf } from '@lmd/core';
import {
  canPack,
  float32Of,
  indexSuffix,
  modelTensors,
  type PackedWeights,
  type PackOptions,
  packedKey,
  packTensor,
  type TensorFile,
} from '@lmd/inference';
import { modelFilePath, openTensorFile } from '@lmd/inference/node';
import { contractionAxes, lmdParameter } from '@lmd/models';
import { type BlockFormat, formatNamed, type QuantizationError, quantizationError } from '@lmd/mx-formats';
import { byteLengthOf, type SafetensorsTensor } from '@lmd/safetensors';
import { writeSafetensorsFile } from '@lmd/safetensors/node';
import { modelFile, refuseExistingFile } from '../export/new-file.js';
import { jsonLine } from '../output/json.js';
import { writeNotes } from '../output/notes.js';
import { type Column, renderTable } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { count, decimal, fileSize, percent } from '../output/units.js';

export interface QuantizeCommandOptions {
  readonly format: string;
  readonly rounding: Rounding;
  readonly scaleMode: ScaleMode;
  readonly seed: number;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** The result for one tensor. */
interface QuantizedRow extends Partial<QuantizationError> {
  readonly tensor: string;
  readonly shape: readonly number[];
  /** The format, or the type that it keeps with the reason. */
  readonly stored: string;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

const columns: readonly Column<QuantizedRow>[] = [
  { title: 'tensor', cell: ({ tensor }) => tensor },
  { title: 'shape', cell: ({ shape }) => `[${shape.join(', ')}]` },
  { title: 'stored as', cell: ({ stored }) => stored },
  { title: 'before', align: 'right', cell: ({ bytesBefore }) => fileSize(bytesBefore) },
  { title: 'after', align: 'right', cell: ({ bytesAfter }) => fileSize(bytesAfter) },
  {
    title: 'SNR',
    align: 'right',
    cell: ({ signalToNoise }) => decibels(signalToNoise),
  },
  { title: 'largest error', align: 'right', cell: ({ largestError }) => decimalOf(largestError) },
  { title: 'clipped', align: 'right', cell: ({ clipped }) => percentOf(clipped) },
  { title: 'to zero', align: 'right', cell: ({ flushed }) => percentOf(flushed) },
];

/** Infinite if nothing is lost, as for a tensor of zeros or an empty one. */
const decibels = (value: number | undefined) =>
  value === undefined ? '' : value === Number.POSITIVE_INFINITY ? 'exact' : `${value.toFixed(1)} dB`;
const decimalOf = (value: number | undefined) => (value === undefined ? '' : decimal(value));
const percentOf = (value: number | undefined) => (value === undefined ? '' : percent(value));

/**
 * `lmd quantize`: writes a model with its matrices packed in a block format, and reports the size and the error.
 */
export async function quantizeCommand(
  model: string,
  options: QuantizeCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const { format, rounding, scaleMode, seed } = options;
  const packing: PackOptions = { format, rounding, scaleMode };
  const input = modelFilePath(model);
  const output = modelFile(
    options.out ?? input.replace(indexSuffix, '').replace(/(\.safetensors)?$/, `.${format}.safetensors`),
  );
  refuseExistingFile(output, options.force);
  const file = await openTensorFile(input);
  try {
    writeNotes(modelTensors(file, input), terminal);
    const rows = await quantizeFile(file, input, output, packing, seed);
    report(rows, { input, output, format }, options.json === true, terminal);
  } finally {
    await file.close();
  }
}

async function quantizeFile(
  file: TensorFile,
  input: string,
  output: string,
  packing: PackOptions,
  seed: number,
): Promise<QuantizedRow[]> {
  if (file.metadata[packedKey] !== undefined) {
    throw new LmdError('INVALID_ARGUMENT', `${input} is already packed.`, {
      subject: 'model',
      value: input,
      remedy: 'Use the unpacked model that it was made from: quantizing twice has a larger error than quantizing once.',
    });
  }
  const format = formatNamed(packing.format as Parameters<typeof formatNamed>[0]);
  const products = contractionAxes([...file.entries].map(([name, { shape }]) => [name, shape]));
  if (products === undefined) {
    throw new LmdError(
      'UNSUPPORTED',
      `${input} is neither a model of lmd nor a GPT-2 or ViT of transformers or timm.`,
      {
        subject: 'model',
        value: input,
        remedy:
          'Use one of these: for other models the input axis of the matrices, along which blocks run, is unknown.',
      },
    );
  }
  const tensors = new Map<string, SafetensorsTensor>();
  const axes: Record<string, number> = {};
  const rows: QuantizedRow[] = [];
  let stream = 0;
  for (const [name, { dtype, shape }] of file.entries) {
    const tensor = await file.read(name);
    const bytesBefore = byteLengthOf(dtype, shape);
    const row = { tensor: name, shape, bytesBefore };
    const axis = floats.includes(dtype) ? products.get(name) : undefined;
    const reason = reasonToKeep(name, shape, axis, format);
    if (axis === undefined || reason !== undefined) {
      tensors.set(name, tensor);
      rows.push({ ...row, stored: reason === undefined ? dtype : `${dtype} (${reason})`, bytesAfter: bytesBefore });
      continue;
    }
    const values = float32Of(name, tensor).data;
    const key = packing.rounding === 'stochastic' ? { key: { seed, stream: stream++, step: 0, sample: 0 } } : {};
    const parts = packTensor(name, values, shape, { ...packing, ...key, axis });
    for (const [part, packed] of parts) tensors.set(part, packed);
    axes[name] = axis;
    rows.push({
      ...row,
      stored: packing.format,
      bytesAfter: parts.reduce((sum, [, { data }]) => sum + data.byteLength, 0),
      ...quantizationError(values, { ...packing, ...key, format, shape, axis }),
    });
  }
  const packed: PackedWeights = { format: packing.format, axes };
  await writeSafetensorsFile(output, {
    tensors,
    metadata: { ...Object.fromEntries(Object.entries(file.metadata)), [packedKey]: JSON.stringify(packed) },
  });
  return rows;
}

const floats = ['F64', 'F32', 'F16', 'BF16'];

/** Why a matrix is not packed; undefined if it is packed, or is not a matrix. */
function reasonToKeep(
  name: string,
  shape: readonly number[],
  axis: number | undefined,
  format: BlockFormat,
): string | undefined {
  if (axis === undefined) return lmdParameter(name, shape) ? 'not used in a matrix product' : undefined;
  if (sizeOf(shape) === 0) return 'no values';
  return canPack(format, shape) ? undefined : 'its codes do not fill whole bytes';
}

function report(
  rows: readonly QuantizedRow[],
  { input, output, format }: { readonly input: string; readonly output: string; readonly format: string },
  json: boolean,
  { out, colours }: Terminal,
): void {
  const total = (key: 'bytesBefore' | 'bytesAfter') => rows.reduce((sum, row) => sum + row[key], 0);
  const [bytesBefore, bytesAfter] = [total('bytesBefore'), total('bytesAfter')];
  if (json) {
    const summary = { type: 'quantized', input, output, format, bytesBefore, bytesAfter, tensors: rows };
    out.write(jsonLine(summary));
    return;
  }
  out.write(`${renderTable(columns, rows, { styleTitle: colours.bold, columns: out.columns })}\n\n`);
  const ratio = bytesAfter === 0 ? '' : `, ${(bytesBefore / bytesAfter).toFixed(2)} times smaller`;
  out.write(`${count(rows.length)} tensors: ${fileSize(bytesBefore)} → ${fileSize(bytesAfter)}${ratio}\n`);
  out.write(`${colours.green('wrote')} ${output}\n`);
}
