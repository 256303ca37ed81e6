"""Fashion-MNIST and the network that the programs of this folder train on it."""

import gzip

import numpy as np
import torch
from torch import nn


def load_images(path):
  with gzip.open(path) as file:
    pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
  return torch.from_numpy((pixels.astype(np.float32) / 255 - 0.2860) / 0.3530)


def load_labels(path):
  with gzip.open(path) as file:
    return torch.from_numpy(np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64))


def make_cnn():
  return nn.Sequential(
      nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
      nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
      nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
      nn.Flatten(), nn.Linear(64 * 3 * 3, 10))
