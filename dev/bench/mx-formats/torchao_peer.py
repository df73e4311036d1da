"""Least milliseconds of torchao's emulation, to_mx and back, per format: python torchao_peer.py LOG2_OF_VALUES ROUNDS. Prints JSON."""

import json
import sys
import time

import torch
from torchao.prototype.mx_formats.constants import DTYPE_FP6_E2M3, DTYPE_FP6_E3M2
from torchao.prototype.mx_formats.mx_tensor import to_dtype, to_mx

torch.set_num_threads(1)
count, rounds = 2 ** int(sys.argv[1]), int(sys.argv[2])
formats = {
    "mxfp8_e5m2": torch.float8_e5m2,
    "mxfp8_e4m3": torch.float8_e4m3fn,
    "mxfp6_e3m2": DTYPE_FP6_E3M2,
    "mxfp6_e2m3": DTYPE_FP6_E2M3,
    "mxfp4_e2m1": torch.float4_e2m1fn_x2,
}
values = torch.randn(count // 4096, 4096, generator=torch.Generator().manual_seed(0))
times = {}
for name, dtype in formats.items():
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        scales, codes = to_mx(values, dtype, 32)
        to_dtype(codes, scales, dtype, 32, torch.float32)
        best = min(best, time.perf_counter() - start)
    times[name] = best * 1000
print(json.dumps(times))
