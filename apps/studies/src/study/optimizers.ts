import { type OptimizerRuleName, optimizerRules } from '@lmd/core';

/** Every optimizer of `@lmd/core` can be compared. */
export const ruleNames = Object.keys(optimizerRules) as [OptimizerRuleName, ...OptimizerRuleName[]];

export const titleOf = (rule: OptimizerRuleName): string => optimizerRules[rule].title;

/** Whether it trains only matrices, and AdamW trains the rest. */
export const takesMatricesAlone = (rule: OptimizerRuleName): boolean => optimizerRules[rule].matricesOnly;
