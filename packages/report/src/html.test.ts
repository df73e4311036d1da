import { describe, expect, it } from 'vitest';
import { html } from './html.js';

describe('html', () => {
  it('escapes text, keeps markup, joins lists, and drops what is undefined', () => {
    expect(html`<b>${'<&>'}${html`<i>x</i>`}${['a', 1]}${undefined}</b>`.text).toBe('<b>&lt;&amp;&gt;<i>x</i>a1</b>');
  });
});
