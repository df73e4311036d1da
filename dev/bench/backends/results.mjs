/**
 * What an operation or a kernel returns, and what a benchmark runs on operands, which are of the dtypes that it wants.
 *
 * @typedef {import('@lmd/core').Tensor} Tensor
 * @typedef {import('@lmd/core').LayerNormGradients | import('@lmd/core').LmdTensors | import('@lmd/core').AdamwTensors}
 *   Tensors
 * @typedef {(backend: import('@lmd/core').Backend, operands: any[]) => Tensor | Tensors | undefined} Run
 */

/**
 * The tensors of a result.
 *
 * @param {Tensor | Tensors} result
 * @returns {Tensor[]}
 */
export const tensorsOf = (result) => ('dtype' in result ? [result] : Object.values(result));
