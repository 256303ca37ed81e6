#!/usr/bin/env python3
"""Decentralized AMSGrad on a ring, as one writes it in PyTorch.

Five nodes on a ring (weights 1/3 for itself and each neighbour), each with two labels of
Fashion-MNIST, train a small convolutional network with Algorithm 3 of Chen, Karimi, Zhao & Li,
arXiv 2109.03194. Prints one line of JSON; the seconds exclude loading and warm-up.
"""

import argparse
import copy
import json
import pathlib
import time

import torch
import torch.nn.functional as F

from fashion import load_images, load_labels, make_cnn

NODES = 5


def mix(variable):
  """The mean of every node's tensors with those of its two neighbours."""
  return [[(left + own + right) / 3
           for left, own, right in zip(variable[i - 1], variable[i], variable[(i + 1) % NODES])]
          for i in range(NODES)]


class Ring:
  """Five networks, their data, and the state of decentralized AMSGrad."""

  def __init__(self, images, labels, args):
    self.batch = args.batch
    self.step, self.beta1, self.beta2 = args.step, args.beta1, args.beta2
    self.epsilon = args.epsilon
    self.data = []
    for i in range(NODES):
      mine = (labels == 2 * i) | (labels == 2 * i + 1)
      self.data.append((images[mine], labels[mine]))

    model = make_cnn()
    self.models = [copy.deepcopy(model) for _ in range(NODES)]
    self.x = [list(model.parameters()) for model in self.models]
    self.m = [[torch.zeros_like(p) for p in x] for x in self.x]
    self.v = [[torch.zeros_like(p) for p in x] for x in self.x]
    self.v_hat = [[torch.full_like(p, self.epsilon) for p in x] for x in self.x]
    self.u = [[torch.full_like(p, self.epsilon) for p in x] for x in self.x]

  def gradients(self):
    """Backpropagates one batch on every node; returns the mean of their losses."""
    losses = []
    for model, (images, labels) in zip(self.models, self.data):
      rows = torch.randint(len(labels), (self.batch,))
      model.zero_grad(set_to_none=True)
      loss = F.cross_entropy(model(images[rows]), labels[rows])
      loss.backward()
      losses.append(loss.item())
    return sum(losses) / NODES

  @torch.no_grad()
  def update(self):
    mixed_x = mix(self.x)
    mixed_u = mix(self.u)
    for i in range(NODES):
      for k, x in enumerate(self.x[i]):
        m, v, v_hat, u = self.m[i][k], self.v[i][k], self.v_hat[i][k], mixed_u[i][k]
        m.mul_(self.beta1).add_(x.grad, alpha=1 - self.beta1)
        v.mul_(self.beta2).addcmul_(x.grad, x.grad, value=1 - self.beta2)
        new_v_hat = torch.maximum(v_hat, v)
        denominator = u.clamp(min=self.epsilon).sqrt_()
        x.copy_(mixed_x[i][k].addcdiv_(m, denominator, value=-self.step))
        self.u[i][k] = u.sub_(v_hat).add_(new_v_hat)
        self.v_hat[i][k] = new_v_hat

  def run(self, rounds):
    """Runs this many rounds; returns the mean loss of the last one."""
    loss = float("nan")
    for _ in range(rounds):
      loss = self.gradients()
      self.update()
    return loss


def main():
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--path", type=pathlib.Path,
                      default=pathlib.Path("/usr/share/datasets/fashion-mnist"),
                      help="folder of the IDX files (default: %(default)s)")
  parser.add_argument("--rounds", type=int, default=100)
  parser.add_argument("--warmup", type=int, default=5)
  parser.add_argument("--threads", type=int, help="default: PyTorch's own choice")
  parser.add_argument("--batch", type=int, default=64)
  parser.add_argument("--step", type=float, default=1e-4)
  parser.add_argument("--beta1", type=float, default=0.9)
  parser.add_argument("--beta2", type=float, default=0.999)
  parser.add_argument("--epsilon", type=float, default=1e-6)
  parser.add_argument("--seed", type=int, default=1)
  args = parser.parse_args()

  if args.threads:
    torch.set_num_threads(args.threads)
  torch.manual_seed(args.seed)
  ring = Ring(load_images(args.path / "train-images-idx3-ubyte.gz"),
              load_labels(args.path / "train-labels-idx1-ubyte.gz"), args)

  ring.run(args.warmup)
  begin = time.perf_counter()
  loss = ring.run(args.rounds)
  seconds = time.perf_counter() - begin
  print(json.dumps({"rounds": args.rounds, "seconds": seconds,
                    "seconds_per_round": seconds / args.rounds, "loss": loss}))


if __name__ == "__main__":
  main()
