// What the declarations of commands say about them. It stands apart from the commands, which load when they run.

/** Layouts that `lmd export` writes. */
export const exportLayouts = ['transformers', 'timm', 'lmd', 'onnx', 'peft'] as const;

/** Default of `lmd generate --max-tokens`, unless the context has room for fewer. */
export const usualTokens = 200;

/** Default of `lmd predict --top-k`. */
export const usualTopK = 3;

/** Clusters that `lmd cluster export` writes for. */
export const clusterTargets = ['kubernetes', 'slurm'] as const;

/** Default of `lmd cluster export --image`. */
export const usualImage = 'node:22-slim';
