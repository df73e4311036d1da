import type { MatmulOptions } from '../operations.js';
import { primitiveDTypes } from '../primitive-dtypes.js';
import type { FloatTensor, Tensor } from '../tensor.js';
import { type Check, type Context, checkFlag, checkOptions } from './context.js';
import { planMatmul, type Shape, sameShape } from './shapes.js';

const rule = primitiveDTypes.matmul;
const known = ['transposeA', 'transposeB'];

/** The product of any leading axes, by the backend's rank-3 one. */
export function matmulOperation(context: Context) {
  const { backend, constant, size, track } = context;
  const check: Check = context.check;
  /** Runs `body` on `x` in the given shape, and frees the handle made for it. */
  function reshaped(x: FloatTensor, shape: Shape, body: (x: FloatTensor) => FloatTensor): FloatTensor {
    if (sameShape(x.shape, shape)) return body(x);
    const view = backend.reshape(x, shape);
    try {
      return body(view);
    } finally {
      backend.dispose(view);
    }
  }

  return (a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor => {
    check('matmul', a, rule.a);
    check('matmul', b, rule.b);
    checkOptions('matmul', options, known);
    const { transposeA = false, transposeB = false } = options;
    checkFlag('matmul', 'transposeA', transposeA);
    checkFlag('matmul', 'transposeB', transposeB);
    const plan = planMatmul(a.shape, b.shape, transposeA, transposeB);
    if (size('matmul', plan.result) === 0 || plan.inner === 0) return constant('matmul', plan.result, 0, 'f32');
    const product = reshaped(a, plan.a, (left) =>
      reshaped(b, plan.b, (right) => backend.matmul(left, right, transposeA, transposeB)),
    );
    if (sameShape(product.shape, plan.result)) return track('matmul', product);
    const result = backend.reshape(product, plan.result);
    backend.dispose(product);
    return track('matmul', result);
  };
}
