#!/usr/bin/env python3
"""Hogwild, as one writes it in PyTorch: processes that train one network in shared memory.

Every process draws minibatches of its own from Fashion-MNIST, backpropagates them, and takes SGD
steps on the shared parameters without a lock. Prints one line of JSON: samples per second, all
processes together, without loading and warm-up.
"""

import argparse
import json
import os
import pathlib
import time

# torch.set_num_threads does not reach OpenBLAS, which would use all cores in each process.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import torch
import torch.multiprocessing
import torch.nn.functional as F
from torch import nn

from fashion import load_images, load_labels, make_cnn

PATIENCE = 120  # seconds until a process that says nothing is given up


def make_mlp():
  return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 256), nn.ReLU(), nn.Linear(256, 10))


MODELS = {"mlp": make_mlp, "cnn": make_cnn}


def update(model, images, labels, args):
  """One step on a random minibatch; returns its loss."""
  rows = torch.randint(len(labels), (args.batch,))
  model.zero_grad(set_to_none=True)
  loss = F.cross_entropy(model(images[rows]), labels[rows])
  loss.backward()
  with torch.no_grad():
    for parameter in model.parameters():
      parameter.add_(parameter.grad, alpha=-args.step)
  return loss.item()


def work(process, model, images, labels, args, ready, results):
  """What one process does: warms up, waits for the others, counts its updates."""
  torch.set_num_threads(1)
  torch.manual_seed(args.seed + process)
  for _ in range(args.warmup):
    update(model, images, labels, args)
  ready.wait(timeout=PATIENCE)
  updates, seconds, loss = 0, 0.0, float("nan")
  begin = time.perf_counter()
  while seconds < args.seconds:
    loss = update(model, images, labels, args)
    updates += 1
    seconds = time.perf_counter() - begin
  results.put((updates, seconds, loss))


def main():
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--path", type=pathlib.Path,
                      default=pathlib.Path("/usr/share/datasets/fashion-mnist"),
                      help="folder of the IDX files (default: %(default)s)")
  parser.add_argument("--model", choices=sorted(MODELS), default="cnn")
  parser.add_argument("--channels-last", action="store_true",
                      help="store the network's weights channels last")
  parser.add_argument("--processes", type=int, default=2)
  parser.add_argument("--batch", type=int, default=32)
  parser.add_argument("--seconds", type=float, default=1.0)
  parser.add_argument("--warmup", type=int, default=20, help="updates of each process before")
  parser.add_argument("--step", type=float, default=1e-3)
  parser.add_argument("--seed", type=int, default=1)
  args = parser.parse_args()

  torch.set_num_threads(1)
  torch.manual_seed(args.seed)
  images = load_images(args.path / "train-images-idx3-ubyte.gz")
  labels = load_labels(args.path / "train-labels-idx1-ubyte.gz")
  model = MODELS[args.model]()
  if args.channels_last:
    model = model.to(memory_format=torch.channels_last)
  model.share_memory()

  # Forked, the processes read one copy of the data. No thread is running here yet that a fork
  # would lose.
  context = torch.multiprocessing.get_context("fork")
  ready, results = context.Barrier(args.processes), context.Queue()
  processes = [
      context.Process(target=work, args=(p, model, images, labels, args, ready, results),
                      daemon=True)
      for p in range(args.processes)]
  for process in processes:
    process.start()
  reports = [results.get(timeout=args.seconds + PATIENCE) for _ in processes]
  for process in processes:
    process.join()

  print(json.dumps({"processes": args.processes,
                    "updates": sum(updates for updates, _, _ in reports),
                    "samples_per_second": sum(args.batch * updates / seconds
                                              for updates, seconds, _ in reports),
                    "loss": sum(loss for _, _, loss in reports) / len(reports)}))


if __name__ == "__main__":
  main()
