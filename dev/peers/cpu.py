"""Least milliseconds of a task in eager PyTorch, 2 threads: python cpu.py TASK SIZE ROUNDS. Prints JSON.

Tasks: lmd, a draw and an update of SIZE weights by Log-Normal Multiplicative Dynamics, the same mathematics as @lmd/core's.
"""

import json
import sys
import time

import torch

torch.set_num_threads(2)


def lmd(size: int):
    generator = torch.Generator().manual_seed(0)
    log_plus = torch.randn(size, generator=generator) * 0.1 - 3
    log_minus = torch.randn(size, generator=generator) * 0.1 - 3
    momentum_plus = torch.randn(size, generator=generator)
    momentum_minus = torch.randn(size, generator=generator)
    gradient = torch.randn(size, generator=generator)
    noise, rate, beta1, beta2, regularization, prior = 0.05, 1e-3, 0.9, 0.99, 0.3, -3.0

    def half(log, momentum, theta, sign):
        scaled = theta * gradient * sign
        temporary = beta1 * momentum + (1 - beta1) * scaled
        kept = beta2 * momentum + (1 - beta2) * scaled
        return log - rate * (torch.sign(temporary) + regularization * (log - prior)), kept

    def run():
        # The noise is kept from the draw for the update, which is the quicker way where memory is no object.
        theta_plus = torch.exp(log_plus + noise * torch.randn(size, generator=generator))
        theta_minus = torch.exp(log_minus + noise * torch.randn(size, generator=generator))
        weights = theta_plus - theta_minus
        return weights, half(log_plus, momentum_plus, theta_plus, 1), half(log_minus, momentum_minus, theta_minus, -1)

    return run


task, size, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
run = {"lmd": lmd}[task](size)
best = float("inf")
with torch.no_grad():
    for round in range(rounds + 1):
        start = time.perf_counter()
        run()
        if round > 0:
            best = min(best, time.perf_counter() - start)
print(json.dumps({"milliseconds": best * 1000, "version": torch.__version__.split("+")[0]}))
