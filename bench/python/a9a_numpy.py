#!/usr/bin/env python3
"""Decentralized logistic regression on a ring, vectorised over the nodes with numpy.

Sixteen nodes on a ring (weights 1/3 for itself and each neighbour), each with its own share of a9a,
minimise the mean of log(1 + exp(-b a^T x)) + l2/2 ||x||^2 with D-PSGD or decentralized AMSGrad
(Algorithm 3 of Chen, Karimi, Zhao & Li, arXiv 2109.03194). Prints one line of JSON; the seconds
exclude loading and warm-up.
"""

import argparse
import gzip
import json
import pathlib
import time

import numpy as np

FEATURES = 123


def load_libsvm(path, dtype):
  """The rows b_i a_i of a LIBSVM file: all that the loss needs."""
  opener = gzip.open if path.suffix == ".gz" else open
  with opener(path, "rt", encoding="ascii") as file:
    samples = [line.split() for line in file if line.strip()]
  rows = np.zeros((len(samples), FEATURES), dtype)
  for row, (label, *entries) in zip(rows, samples):
    for entry in entries:
      index, value = entry.split(":")
      row[int(index) - 1] = float(value)
    row *= np.sign(float(label))
  return rows


def ring_weights(nodes, dtype):
  own = np.eye(nodes, dtype=dtype)
  return (own + np.roll(own, 1, axis=1) + np.roll(own, -1, axis=1)) / 3


class Dgd:
  """D-PSGD: x+ = W x - step g."""

  def __init__(self, weights, step):
    self.weights, self.step = weights, step

  def update(self, x, g):
    return self.weights @ x - self.step * g


class Amsgrad:
  """Decentralized AMSGrad, all nodes at once."""

  def __init__(self, weights, step, shape, beta1, beta2, epsilon):
    self.weights, self.step = weights, step
    self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
    self.m = np.zeros(shape, weights.dtype)
    self.v = np.zeros(shape, weights.dtype)
    self.v_hat = np.full(shape, epsilon, weights.dtype)
    self.u = self.v_hat.copy()

  def update(self, x, g):
    self.m *= self.beta1
    self.m += (1 - self.beta1) * g
    self.v *= self.beta2
    self.v += (1 - self.beta2) * g * g
    v_hat = np.maximum(self.v_hat, self.v)
    u = self.weights @ self.u
    x = self.weights @ x - self.step * self.m / np.sqrt(np.maximum(u, self.epsilon))
    self.u = u - self.v_hat + v_hat
    self.v_hat = v_hat
    return x


class Sampler:
  """Draws a batch with replacement for every node at once."""

  def __init__(self, rows, nodes, batch, random):
    self.rows = rows[random.permutation(len(rows))]
    bounds = np.arange(nodes + 1) * len(rows) // nodes
    self.first = bounds[:-1, None]
    self.size = np.diff(bounds)[:, None]
    self.shape = (nodes, batch)
    self.random = random

  def draw(self):
    """An array of nodes x batch x features."""
    chosen = self.first + (self.random.random(self.shape) * self.size).astype(np.int64)
    return self.rows.take(chosen, axis=0)


def gradients(x, batch, l2):
  """The stochastic gradients of all nodes, and the margins b a^T x of their batches."""
  margins = (batch @ x[:, :, None])[:, :, 0]
  # The slope of log(1 + exp(-z)) is -1 / (1 + exp(z)), written so that it cannot overflow.
  slopes = (0.5 * np.tanh(0.5 * margins) - 0.5) / margins.shape[1]
  return (slopes[:, None, :] @ batch)[:, 0, :] + l2 * x, margins


def run(x, rounds, sampler, method, l2):
  """Runs this many rounds; returns x and the margins of the last batches."""
  margins = np.full((1, 1), np.nan)
  for _ in range(rounds):
    g, margins = gradients(x, sampler.draw(), l2)
    x = method.update(x, g)
  return x, margins


def main():
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--path", type=pathlib.Path, required=True,
                      help="the LIBSVM file of a9a, plain or .gz")
  parser.add_argument("--method", choices=["dgd", "amsgrad"], default="dgd")
  parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
  parser.add_argument("--rounds", type=int, default=2000)
  parser.add_argument("--warmup", type=int, default=50)
  parser.add_argument("--nodes", type=int, default=16)
  parser.add_argument("--batch", type=int, default=32)
  parser.add_argument("--step", type=float, help="default: 0.1 for dgd, 0.001 for amsgrad")
  parser.add_argument("--beta1", type=float, default=0.9)
  parser.add_argument("--beta2", type=float, default=0.999)
  parser.add_argument("--epsilon", type=float, default=1e-6)
  parser.add_argument("--l2", type=float, default=1e-4)
  parser.add_argument("--seed", type=int, default=1)
  args = parser.parse_args()
  if args.nodes < 3:
    parser.error("--nodes: a ring has at least 3")

  rows = load_libsvm(args.path, args.dtype)
  sampler = Sampler(rows, args.nodes, args.batch, np.random.default_rng(args.seed))
  weights = ring_weights(args.nodes, args.dtype)
  x = np.zeros((args.nodes, FEATURES), args.dtype)
  if args.method == "dgd":
    method = Dgd(weights, 0.1 if args.step is None else args.step)
  else:
    method = Amsgrad(weights, 1e-3 if args.step is None else args.step, x.shape, args.beta1,
                     args.beta2, args.epsilon)

  x, _ = run(x, args.warmup, sampler, method, args.l2)
  begin = time.perf_counter()
  x, margins = run(x, args.rounds, sampler, method, args.l2)
  seconds = time.perf_counter() - begin

  average = x.mean(axis=0, dtype=np.float64)
  penalty = args.l2 / 2 * (average @ average)
  objective = np.logaddexp(0, -(rows @ average)).mean() + penalty
  print(json.dumps({"rounds": args.rounds, "seconds": seconds,
                    "seconds_per_round": seconds / args.rounds,
                    "loss": float(np.logaddexp(0, -margins).mean()),
                    "objective": float(objective)}))


if __name__ == "__main__":
  main()
