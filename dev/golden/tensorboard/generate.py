"""Writes the golden event file of @lmd/training with TensorBoard's own classes, and reads it back; see README.md."""

import io
import json
from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

golden = Path(__file__).resolve().parents[3] / "packages" / "training" / "test" / "golden" / "tensorboard"

# Step 0, steps of two and more bytes as varints, tags beyond 127 bytes and beyond ASCII, and values that are not finite.
EVENTS = [
    {"wallTime": 1764500000.25, "step": 0, "fileVersion": "brain.Event:2"},
    {"wallTime": 1764500001.5, "step": 1, "scalars": {"loss/train": 2.302585}},
    {"wallTime": 1764500002.125, "step": 100, "scalars": {"loss/validation": 0.5, "accuracy/validation": 0.8125}},
    {"wallTime": 1764500003.0, "step": 128, "scalars": {"loss/train": 0.0}},
    {"wallTime": 1764500004.0, "step": 300000, "scalars": {"loss/train": float("inf"), "loss/test": float("-inf")}},
    {"wallTime": 1764500005.0, "step": 2**40, "scalars": {"µ/" + "x" * 200: -1.5}},
]


def event(entry):
    made = Event(wall_time=entry["wallTime"], step=entry["step"])
    if "fileVersion" in entry:
        made.file_version = entry["fileVersion"]
    else:
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in entry["scalars"].items()]
        made.summary.CopyFrom(Summary(value=values))
    return made


golden.mkdir(parents=True, exist_ok=True)
buffer = io.BytesIO()
writer = RecordWriter(buffer)
for entry in EVENTS:
    writer.write(event(entry).SerializeToString())
path = golden / "events.out.tfevents.1764500000.golden"
path.write_bytes(buffer.getvalue())
read = list(EventFileLoader(str(path)).Load())
assert [e.step for e in read] == [e["step"] for e in EVENTS]
# JSON has no infinities: they are strings, as toJson of @lmd/training writes them.
names = {float("inf"): "Infinity", float("-inf"): "-Infinity"}
for entry in EVENTS:
    if "scalars" in entry:
        entry["scalars"] = {tag: names.get(value, value) for tag, value in entry["scalars"].items()}
(golden / "events.json").write_text(json.dumps(EVENTS, indent=2, ensure_ascii=False) + "\n")
print(f"{path.name}: {len(EVENTS)} events, {path.stat().st_size} bytes")
