"""Compares event files, read by TensorBoard's own reader, with the metrics.jsonl beside them; see README.md."""

import json
import math
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TAGS = {"train": ["loss"], "validation": ["loss", "accuracy"], "test": ["loss", "accuracy"]}


def rounded(value):
    """As a 32-bit float."""
    return struct.unpack("<f", struct.pack("<f", float(value)))[0]


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


for folder in map(Path, sys.argv[1:]):
    expected = {}
    for line in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines()):
        split = {"step": "train", "evaluation": line.get("split")}.get(line["type"])
        for kind in TAGS.get(split, []):
            expected.setdefault(f"{kind}/{split}", []).append((line["step"], rounded(line[kind])))
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    accumulator.Reload()
    found = {tag: [(e.step, e.value) for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}
    assert accumulator.file_version == 2.0, accumulator.file_version
    for tag, points in expected.items():
        ours = found.get(tag, [])
        assert [step for step, _ in ours] == [step for step, _ in points], (folder, tag)
        assert all(same(a, b) for (_, a), (_, b) in zip(ours, points)), (folder, tag)
    print(f"{folder}: {sum(map(len, expected.values()))} values of {len(expected)} tags, {len(found)} tags in all")
