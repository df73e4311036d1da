"""Checks the golden files of @lmd/onnx with onnx and runs them with its reference implementation; see README.md."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

golden = Path(__file__).resolve().parents[3] / "packages" / "onnx" / "test" / "golden"


def logits_with_cache(session: ReferenceEvaluator, model: onnx.ModelProto, tokens: np.ndarray) -> np.ndarray:
    """The first two positions, then one at a time, with keys and values passed on."""
    past = {}
    for value in model.graph.input:
        if value.name.startswith("past_key_values"):
            heads, width = (value.type.tensor_type.shape.dim[axis].dim_value for axis in (1, 3))
            past[value.name] = np.zeros((len(tokens), heads, 0, width), np.float32)
    names = [value.name for value in model.graph.output]
    pieces, start = [], 0
    for end in range(2, tokens.shape[1] + 1):
        inputs = {
            "input_ids": tokens[:, start:end],
            "attention_mask": np.ones((len(tokens), end), np.int64),
            "position_ids": np.tile(np.arange(start, end), (len(tokens), 1)),
        }
        outputs = dict(zip(names, session.run(names, {**inputs, **past})))
        pieces.append(outputs["logits"])
        past = {name.replace("present", "past_key_values"): outputs[name] for name in names[1:]}
        start = end
    return np.concatenate(pieces, axis=1)


for path in sorted(golden.glob("*.onnx")):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    given = json.loads(path.with_suffix(".inputs.json").read_text())
    session = ReferenceEvaluator(model)
    if "vit" in path.name:
        images = np.array(given["data"], np.float32).reshape(given["shape"])
        logits = session.run(["logits"], {"pixel_values": images})[0]
    else:
        tokens = np.array(given["data"], np.int64).reshape(given["shape"])
        cached = any(value.name == "attention_mask" for value in model.graph.input)
        logits = (
            logits_with_cache(session, model, tokens)
            if cached
            else session.run(["logits"], {"input_ids": tokens})[0]
        )
    expected = {"shape": list(logits.shape), "logits": [float(value) for value in logits.ravel()]}
    path.with_suffix(".json").write_text(json.dumps(expected))
    print(f"{path.name}: {len(model.graph.node)} nodes, logits {list(logits.shape)}")
