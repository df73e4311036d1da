import { type OptimizerRuleName, optimizerRules } from '@lmd/core';

export type Scalar = number | string | boolean;
export type Options = { readonly [option: string]: Scalar };

/** Every optimizer that `@lmd/core` describes can be compared. */
export const ruleNames = Object.keys(optimizerRules) as [OptimizerRuleName, ...OptimizerRuleName[]];

export const titleOf = (rule: OptimizerRuleName): string => optimizerRules[rule].title;

/** Whether it takes matrices alone, and AdamW trains what is left. */
export const takesMatricesAlone = (rule: OptimizerRuleName): boolean => optimizerRules[rule].matricesOnly;
