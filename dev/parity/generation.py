"""Times greedy generation with transformers, for dev/bench/models: python generation.py FOLDER.

FOLDER holds a model as `exportPretrained` writes it, and task.json. Prints JSON: the tokens, and the least seconds of two runs.
"""

import json
import sys
import time
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel

folder = Path(sys.argv[1])
task = json.loads((folder / "task.json").read_text())
torch.set_num_threads(task["threads"])
model = GPT2LMHeadModel.from_pretrained(folder).eval()
prompt = torch.tensor([task["prompt"]])
count = task["maxTokens"]
seconds = []
with torch.no_grad():
    for _ in range(3):
        start = time.perf_counter()
        tokens = model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=False,
            use_cache=True,
            min_new_tokens=count,
            max_new_tokens=count,
            pad_token_id=0,
        )
        seconds.append(time.perf_counter() - start)
print(json.dumps({"tokens": tokens[0, len(task["prompt"]) :].tolist(), "seconds": min(seconds[1:])}))
