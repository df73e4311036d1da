import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations } from '@lmd/core';
import type { TokenizerDescription } from '@lmd/data/text';
import { describeInMetadata, loadModel } from '@lmd/inference';
import { chooseBackend } from '@lmd/inference/backend';
import { gpt2 } from '@lmd/models';
import { type SafetensorsTensor, serializeSafetensors, tensorFrom } from '@lmd/safetensors';
import { describe, expect, it } from 'vitest';

const backend = await createCpuBackend();

/** A model file of lmd with the initial weights of a small GPT-2. */
async function modelFile(vocabularySize: number, tokenizer: TokenizerDescription): Promise<Blob> {
  const model = gpt2({ vocabularySize, contextLength: 16, width: 8, depth: 1, heads: 1 });
  const ops = createOperations(backend);
  const tensors: Record<string, SafetensorsTensor> = {};
  for (const [name, tensor] of Object.entries(model.initialize(ops, 1))) {
    tensors[name] = tensorFrom((await ops.read(tensor)) as Float32Array, tensor.shape);
  }
  const { architecture, config } = model;
  const metadata = describeInMetadata({ architecture, config, tokenizer });
  return new Blob([serializeSafetensors({ tensors, metadata }) as Uint8Array<ArrayBuffer>]);
}

describe('in a browser, a language model', () => {
  it('continues a prompt, streamed and whole alike, on the cpu and on WebGPU', async () => {
    const characters = [...' abcdefgh'];
    const file = await modelFile(characters.length + 1, { name: 'characters', characters });
    const chosen = await chooseBackend();
    expect(chosen.name).toBe('webgpu');
    const texts: string[] = [];
    for (const one of [backend, chosen]) {
      const model = await loadModel(file, { backend: one });
      const pieces: string[] = [];
      for await (const piece of model.generate('a cab', { maxTokens: 6, temperature: 0 })) pieces.push(piece);
      expect(await model.generate('a cab', { maxTokens: 6, temperature: 0 }).text()).toBe(pieces.join(''));
      texts.push(pieces.join(''));
      model.dispose();
    }
    expect(texts[0]).toMatch(/^[ a-h]{1,6}$/);
    expect(texts[1]).toBe(texts[0]);
    chosen.close?.();
  });

  it("loads GPT-2's tokenizer when it has its vocabulary", async () => {
    const model = await loadModel(await modelFile(50_257, { name: 'gpt2' }), { backend });
    const options = { maxTokens: 4, seed: 1 };
    const text = await model.generate('Hello world', options).text();
    expect(text).not.toBe('');
    expect(await model.generate('Hello world', options).text()).toBe(text);
    expect(await model.generate('Hello worlds', options).text()).not.toBe(text);
    model.dispose();
  });
});
