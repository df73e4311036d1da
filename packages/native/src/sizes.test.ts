import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { settingPlaces, sizes } from './sizes.js';

const folder = fileURLToPath(new URL('../c/', import.meta.url));
const source = readdirSync(folder)
  .filter((name) => name.endsWith('.h'))
  .map((name) => readFileSync(`${folder}${name}`, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''))
  .join('\n');

/** Every enumerator with its value: the one that is written, or the place in its list. */
const enumerators = new Map(
  [...source.matchAll(/\benum (?:\w+ )?\{([^}]*)\}/g)].flatMap(([, body]) => {
    let next = 0;
    return body!
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
      .map((entry) => {
        const [name, value] = entry.split('=').map((part) => part.trim());
        if (value !== undefined) next = Number(value);
        return [name!, next++] as const;
      });
  }),
);

it.each(Object.entries(sizes))('%s is %i in C', (name, size) => {
  expect(enumerators.get(name)).toBe(size);
});

it('places of settings are those of the struct', () => {
  const body = /typedef struct \{([^}]*)\} rounding_settings;/.exec(source)![1]!;
  const words = body
    .split(';')
    .flatMap((line) => line.replace(/^\s*(int32_t|float)\s/, '').split(','))
    .map((field) => field.trim())
    .filter((field) => field !== '')
    .flatMap((field) => {
      const [, name, count = '1'] = /^(\w+)(?:\[(\d+)\])?$/.exec(field)!;
      return new Array<string>(Number(count)).fill(name!);
    });
  expect(words).toHaveLength(sizes.SETTING_WORDS);
  for (const [name, place] of Object.entries(settingPlaces)) expect(words[place]).toBe(name);
});
