import { describeBounds } from './describe-range.js';
import type { Alternative, Option } from './option.js';

/** Meaning, expected value and default of an option, as sentences for documentation. */
export function describeOption(option: Option): string {
  const { kind, presence } = option;
  const standIn =
    presence === 'required'
      ? 'required'
      : option.default === undefined
        ? undefined
        : `default ${kind === 'choice' ? `\`${option.default}\`` : option.default}`;
  const facts = [allowed(option), standIn].filter((fact) => fact !== undefined && fact !== '').join('; ');
  return facts === '' ? option.describe : `${option.describe} ${facts[0]!.toUpperCase()}${facts.slice(1)}.`;
}

function allowed(option: Option | Alternative): string {
  switch (option.kind) {
    case 'number':
      return describeBounds(option.range);
    case 'integer':
      return ['a whole number', describeBounds(option.range)].filter((part) => part !== '').join(', ');
    case 'schedule':
      return ['a number or a schedule', describeBounds(option.range)].filter((part) => part !== '').join(', ');
    case 'boolean':
      return 'true or false';
    case 'choice':
      return list(option.choices.map((choice) => `\`${choice}\``));
    case 'text':
      return '';
    case 'interval':
      return `two numbers ${describeBounds(option.range)}, the smaller one first`;
    case 'value':
      return option.allowed;
    case 'record':
      return `numbers ${describeBounds(option.range)} by the name of the ${option.by}`;
    case 'either':
      return list(
        option.alternatives.map((one) =>
          one.kind === 'number' ? `a number ${describeBounds(one.range)}` : allowed(one),
        ),
      );
  }
}

function list(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;
}
