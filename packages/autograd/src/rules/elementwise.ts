import type { Operations, Tensor, TensorLike, UnaryName } from '@lmd/core';
import type { InputRule } from '../node.js';
import type { Recorder } from '../recorder.js';
import { shapeOf, sumToShape } from './broadcasting.js';

type Elementwise = Pick<
  Operations,
  UnaryName | 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'minimum' | 'where'
>;

/**
 * Elementwise operations. `sign` and `round` are constant almost everywhere, so their gradient is zero. For equal
 * values, `maximum` and `minimum` pass half of the gradient to each operand; a NaN operand receives all of it.
 */
export function elementwise({ ops, record, untracked }: Recorder): Elementwise {
  const unary = (operation: UnaryName, x: Tensor, rule: (y: Tensor) => InputRule): Tensor => {
    const y = ops[operation](x);
    return record(operation, [x], y, [rule(y)]);
  };

  const extremum = (operation: 'maximum' | 'minimum', a: TensorLike, b: TensorLike): Tensor => {
    const toward = (x: TensorLike, other: TensorLike): InputRule => ({
      saves: [a, b],
      gradient: (dy) => {
        const loses = operation === 'maximum' ? ops.less(x, other) : ops.greater(x, other);
        const shared = ops.where(ops.equal(x, other), ops.multiply(dy, 0.5), dy);
        return sumToShape(ops, ops.where(loses, 0, shared), shapeOf(x));
      },
    });
    return record(operation, [a, b], ops[operation](a, b), [toward(a, b), toward(b, a)]);
  };

  return {
    negate: (x) => unary('negate', x, () => ({ gradient: (dy) => ops.negate(dy) })),
    absolute: (x) => unary('absolute', x, () => ({ saves: [x], gradient: (dy) => ops.multiply(dy, ops.sign(x)) })),
    sign: (x) => untracked([x], ops.sign(x)),
    round: (x) => untracked([x], ops.round(x)),
    exp: (x) => unary('exp', x, (y) => ({ saves: [y], gradient: (dy) => ops.multiply(dy, y) })),
    log: (x) => unary('log', x, () => ({ saves: [x], gradient: (dy) => ops.divide(dy, x) })),
    sqrt: (x) => unary('sqrt', x, (y) => ({ saves: [y], gradient: (dy) => ops.divide(ops.multiply(dy, 0.5), y) })),
    tanh: (x) =>
      unary('tanh', x, (y) => ({
        saves: [y],
        gradient: (dy) => ops.multiply(dy, ops.subtract(1, ops.multiply(y, y))),
      })),
    erf: (x) =>
      unary('erf', x, () => ({
        saves: [x],
        gradient: (dy) =>
          ops.multiply(dy, ops.multiply(2 / Math.sqrt(Math.PI), ops.exp(ops.negate(ops.multiply(x, x))))),
      })),

    add: (a, b) =>
      record('add', [a, b], ops.add(a, b), [
        { gradient: (dy) => sumToShape(ops, dy, shapeOf(a)) },
        { gradient: (dy) => sumToShape(ops, dy, shapeOf(b)) },
      ]),
    subtract: (a, b) =>
      record('subtract', [a, b], ops.subtract(a, b), [
        { gradient: (dy) => sumToShape(ops, dy, shapeOf(a)) },
        { gradient: (dy) => ops.negate(sumToShape(ops, dy, shapeOf(b))) },
      ]),
    multiply: (a, b) =>
      record('multiply', [a, b], ops.multiply(a, b), [
        { saves: [b], gradient: (dy) => sumToShape(ops, ops.multiply(dy, b), shapeOf(a)) },
        { saves: [a], gradient: (dy) => sumToShape(ops, ops.multiply(dy, a), shapeOf(b)) },
      ]),
    divide(a, b) {
      const y = ops.divide(a, b);
      return record('divide', [a, b], y, [
        { saves: [b], gradient: (dy) => sumToShape(ops, ops.divide(dy, b), shapeOf(a)) },
        // d(a / b) / db = −(a / b) / b: uses the output, since the square of b could overflow.
        {
          saves: [b, y],
          gradient: (dy) => ops.negate(sumToShape(ops, ops.divide(ops.multiply(dy, y), b), shapeOf(b))),
        },
      ]);
    },
    maximum: (a, b) => extremum('maximum', a, b),
    minimum: (a, b) => extremum('minimum', a, b),
    where: (condition, a, b) =>
      record('where', [condition, a, b], ops.where(condition, a, b), [
        null,
        { saves: [condition], gradient: (dy) => sumToShape(ops, ops.where(condition, dy, 0), shapeOf(a)) },
        { saves: [condition], gradient: (dy) => sumToShape(ops, ops.where(condition, 0, dy), shapeOf(b)) },
      ]),
  };
}
