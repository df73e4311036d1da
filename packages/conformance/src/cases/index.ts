import type { CaseGroup } from '../case.js';
import { attention } from './attention.js';
import { blockProducts } from './block-products.js';
import { codedRows } from './coded-rows.js';
import { comparison } from './comparison.js';
import { dtypes } from './dtypes.js';
import { elementwise } from './elementwise.js';
import { faults } from './faults.js';
import { gradients } from './gradients.js';
import { handles } from './handles.js';
import { indexing } from './indexing.js';
import { matmul } from './matmul.js';
import { memory } from './memory.js';
import { neural } from './neural.js';
import { optimizers } from './optimizers.js';
import { packedMatrices } from './packed-matrices.js';
import { quantization } from './quantization.js';
import { randomNumbers } from './random-numbers.js';
import { reduction } from './reduction.js';
import { shape } from './shape.js';
import { training } from './training.js';

/** Everything that is tested, in the order from primitives to training: the first failure is the one to look at. */
export const caseGroups: readonly CaseGroup[] = [
  handles,
  elementwise,
  comparison,
  reduction,
  matmul,
  shape,
  indexing,
  dtypes,
  randomNumbers,
  neural,
  attention,
  quantization,
  blockProducts,
  packedMatrices,
  codedRows,
  optimizers,
  gradients,
  training,
  memory,
  faults,
];
