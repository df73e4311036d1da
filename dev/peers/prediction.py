"""Images a second of timm and of Pillow, as JSON.

python prediction.py classify FOLDER THREADS WORKERS MODEL: the loader and the loop of timm's inference.py, in FP32, with
the model that the folder MODEL describes; and the probabilities of all classes for some of the pictures.

python prediction.py decode FOLDER THREADS ROUNDS [WIDTH HEIGHT]: files decoded to RGB by Pillow in threads; the best of
the rounds. With a size, JPEGs are decoded at the reduced size that is closest above it (`Image.draft`).
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

task, folder, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])


def classify(workers: int, model_folder: str):
    import timm
    import torch
    from timm.data import create_dataset, create_loader, resolve_data_config

    torch.set_num_threads(threads)
    model = timm.create_model(f"local-dir:{model_folder}", pretrained=True).eval()
    config = resolve_data_config({}, model=model)
    loader = create_loader(
        create_dataset(root=str(folder), name=""), batch_size=32, use_prefetcher=False, num_workers=workers, device=torch.device("cpu"), **config
    )
    names = [Path(name).name for name in loader.dataset.filenames(basename=True)]
    kept = []
    with torch.inference_mode():
        # The allocator and the kernels of products are chosen at the first call.
        model(torch.zeros(32, *config["input_size"]))
        start = time.perf_counter()
        for images, _ in loader:
            output = model(images).softmax(-1)
            output.topk(1)
            kept.append(output[:1])
        seconds = time.perf_counter() - start
    probabilities = {names[32 * i]: row[0].tolist() for i, row in enumerate(kept)}
    return {"imagesPerSecond": len(names) / seconds, "probabilities": probabilities}


def decode(rounds: int, size: tuple[int, ...]):
    from PIL import Image

    paths = sorted(folder.iterdir())

    def pixels(path):
        with Image.open(path) as image:
            if size:
                image.draft("RGB", size)
            return image.convert("RGB").tobytes()

    best = float("inf")
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(rounds):
            start = time.perf_counter()
            for _ in pool.map(pixels, paths):
                pass
            best = min(best, time.perf_counter() - start)
    return {"imagesPerSecond": len(paths) / best}


if task == "classify":
    print(json.dumps(classify(int(sys.argv[4]), sys.argv[5])))
else:
    print(json.dumps(decode(int(sys.argv[4]), tuple(map(int, sys.argv[5:])))))
