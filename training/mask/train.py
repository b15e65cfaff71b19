# ruff: noqa: INP001 (scripts, not a package)
"""Trains the mask classifier; writes its ONNX file and the figures of pictures held out.

README.md beside this tells how it is run and what came of it.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
import copy
from dataclasses import replace
import hashlib
import json
import logging
from pathlib import Path

from augment import INPUT, SIDE, Augment, Example, Floats, Image, grayed
import cv2
import numpy as np
from numpy.typing import NDArray
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

WORN = 0.5
FACE_SIDES = (48, 32, 24)
OPSET, IR_VERSION = 17, 8
MAX_BYTES = 300_000

SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}
HELD_OUT_GROUP = 12
"""Larger groups are trained on: one person must not be a large part of what is held out."""

BATCH = 64
PEAK_RATE = 4e-3
WEIGHT_DECAY = 0.02
SMOOTHING = 0.02
AVERAGE = 0.995

_LOGGER = logging.getLogger(__name__)


# --- data -------------------------------------------------------------------------------------


def load(
    data: Path, groups: dict[str, int], corrections: dict[str, str]
) -> dict[int, list[Example]]:
    """Return the examples of each group, with labels as corrected; group -1 is left out."""
    found: dict[int, list[Example]] = defaultdict(list)
    for name, group in sorted(groups.items()):
        label = corrections.get(name, name.split("/", maxsplit=1)[0])
        if group == -1:
            continue
        crop = cv2.imread(str(data / name), cv2.IMREAD_COLOR)
        if crop is None or crop.shape != (SIDE, SIDE, 3):
            raise SystemExit(f"{data / name}: not a picture of {SIDE} x {SIDE} pixels")
        found[group].append(Example(name, crop, label == "mask"))
    return found


def split(groups: dict[int, list[Example]], seed: int) -> dict[str, list[Example]]:
    """Share whole groups out, each label by ``SHARES`` as nearly as the groups allow."""
    random = np.random.default_rng(seed)
    parts: dict[str, list[Example]] = {name: [] for name in SHARES}
    by_label: dict[bool, list[list[Example]]] = {False: [], True: []}
    for _, members in sorted(groups.items()):
        by_label[2 * sum(m.worn for m in members) > len(members)].append(members)
    for same in by_label.values():
        total = sum(len(members) for members in same)
        wanted = {name: share * total for name, share in SHARES.items()}
        order = [same[index] for index in random.permutation(len(same))]
        for members in sorted(order, key=len, reverse=True):
            part = max(wanted, key=lambda name: wanted[name] / SHARES[name])
            if len(members) > HELD_OUT_GROUP:
                part = "train"
            wanted[part] -= len(members)
            parts[part] += members
    return parts


# --- network ----------------------------------------------------------------------------------


class Net(nn.Module):
    """54 thousand parameters; (N, 3, 64, 64) BGR in 0..255 to (N, 1) logits.

    The last layer reads eight places apart, since cloth counts over the mouth and not under it.
    """

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for inputs, outputs, stride in ((3, 16, 2), (16, 32, 2), (32, 48, 1), (48, 64, 2)):
            blocks += [
                nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
            ]
        blocks += [nn.Conv2d(64, 96, 1, bias=False), nn.BatchNorm2d(96), nn.ReLU()]
        self.features = nn.Sequential(*blocks)
        self.places = nn.AvgPool2d((2, 4))
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(96 * 4 * 2, 1)
        self.register_buffer("temperature", torch.ones(1))

    def forward(self, picture: Tensor) -> Tensor:
        """Return the logits of a worn mask, divided by the temperature."""
        places = self.places(self.features((picture - 127.5) / 128))
        return self.head(self.dropout(places.flatten(1))) / self.temperature


class Probability(nn.Module):
    """The network as it is shipped: (N, 3, 64, 64) to (N, 1) in 0..1."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, picture: Tensor) -> Tensor:
        """Return the probability of a worn mask."""
        return torch.sigmoid(self.net(picture))


def train(examples: list[Example], epochs: int, seed: int) -> Net:
    """Return the running average of the weights after a fixed number of epochs."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    augment = Augment(examples, random)
    net = Net()
    average = copy.deepcopy(net)
    steps = len(examples) // BATCH
    optimizer = torch.optim.AdamW(net.parameters(), PEAK_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, epochs * steps)
    for epoch in range(epochs):
        order = random.permutation(len(examples))[: steps * BATCH].reshape(steps, BATCH)
        losses = []
        for batch in order:
            drawn = [augment(examples[index]) for index in batch]
            pictures = torch.from_numpy(stack([picture for picture, _ in drawn]))
            labels = torch.tensor([[float(worn)] for _, worn in drawn])
            soft = labels * (1 - 2 * SMOOTHING) + SMOOTHING
            loss = nn.functional.binary_cross_entropy_with_logits(net(pictures), soft)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            with torch.no_grad():
                for kept, new in zip(
                    average.state_dict().values(), net.state_dict().values(), strict=True
                ):
                    if kept.dtype.is_floating_point:
                        kept.lerp_(new, 1 - AVERAGE)
        _LOGGER.info("epoch %d/%d: loss %.4f", epoch + 1, epochs, np.mean(losses))
    return average.eval()


def calibrate(net: Net, examples: list[Example]) -> float:
    """Set and return the temperature at which these examples are most likely."""
    logits, labels = predict(net, examples), truth(examples)

    def surprise(temperature: float) -> float:
        signs = np.where(labels, -1.0, 1.0)
        return float(np.logaddexp(0, signs * logits / temperature).mean())

    best = min(np.geomspace(0.3, 3, 200), key=surprise)
    net.temperature.fill_(float(best))
    return float(best)


def stack(pictures: list[Image]) -> Floats:
    """Return pictures as (N, 3, H, W) floats."""
    return np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2), np.float32)


def shrunk(examples: list[Example]) -> Floats:
    """Return the network's input for examples as they are."""
    size = (INPUT, INPUT)
    return stack([cv2.resize(e.crop, size, interpolation=cv2.INTER_AREA) for e in examples])


def truth(examples: list[Example]) -> NDArray[np.bool_]:
    """Return the labels."""
    return np.array([example.worn for example in examples])


@torch.no_grad()
def predict(net: Net, examples: list[Example]) -> NDArray[np.float64]:
    """Return the logits of examples as they are."""
    return net(torch.from_numpy(shrunk(examples)))[:, 0].numpy().astype(np.float64)


# --- export and figures -----------------------------------------------------------------------


def export(net: Net, path: Path) -> ort.InferenceSession:
    """Write the ONNX file and return it opened; ends where it computes something else."""
    sample = torch.rand(5, 3, INPUT, INPUT) * 255
    shipped = Probability(net).eval()
    torch.onnx.export(
        shipped,
        (sample[:2],),
        str(path),
        dynamo=False,
        opset_version=OPSET,
        input_names=["picture"],
        output_names=["worn"],
        dynamic_axes={"picture": {0: "n"}, "worn": {0: "n"}},
    )
    model = onnx.load(path)
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "facegate", ""
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    if path.stat().st_size >= MAX_BYTES:
        raise SystemExit(f"{path} has {path.stat().st_size} bytes, {MAX_BYTES} are too many")
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = shipped(sample).numpy()
    (found,) = session.run(None, {"picture": sample.numpy()})
    if not np.allclose(expected, found, atol=1e-5):
        raise SystemExit("the ONNX file does not compute what was trained")
    return session


def figures(session: ort.InferenceSession, examples: list[Example]) -> dict[str, object]:
    """Return the errors at ``WORN`` and the calibration of the shipped file."""
    (output,) = session.run(None, {"picture": shrunk(examples)})
    scores, labels = output[:, 0].astype(np.float64), truth(examples)
    wrong = (scores >= WORN) != labels
    for index in np.flatnonzero(wrong):
        _LOGGER.info("wrong: %s scores %.3f", examples[index].path, scores[index])
    missed, invented = float(wrong[labels].mean()), float(wrong[~labels].mean())
    return {
        "pictures": len(examples),
        "worn": int(labels.sum()),
        "accuracy": round(1 - float(wrong.mean()), 4),
        "worn_taken_for_bare": round(missed, 4),
        "bare_taken_for_worn": round(invented, 4),
        "balanced_error": round((missed + invented) / 2, 4),
        "area_under_roc": round(area(scores, labels), 5),
        "brier": round(float(((scores - labels) ** 2).mean()), 4),
        "calibration_error": round(calibration_error(scores, labels), 4),
    }


def seen_at(examples: list[Example], side: int) -> list[Example]:
    """Return examples as of faces whose crop covers ``side`` pixels of the frame."""
    seen = []
    for example in examples:
        small = cv2.resize(example.crop, (side, side), interpolation=cv2.INTER_AREA)
        crop = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        seen.append(replace(example, crop=crop))
    return seen


def in_gray(examples: list[Example]) -> list[Example]:
    """Return examples without their colors."""
    return [replace(example, crop=grayed(example.crop)) for example in examples]


def area(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """Return how often a worn mask scores over none; equal scores count half."""
    above = scores[labels][:, None] - scores[~labels]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def calibration_error(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """Return the expected calibration error over ten bins of equal width."""
    bins = np.minimum((scores * 10).astype(int), 9)
    gaps = [
        abs(float(scores[bins == b].mean() - labels[bins == b].mean())) * float((bins == b).mean())
        for b in np.unique(bins)
    ]
    return sum(gaps)


def main() -> None:
    """Train by the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("crops", type=Path, help="112x112 crops in mask/ and no_mask/")
    parser.add_argument("groups", type=Path, help="what measure.py group wrote")
    parser.add_argument("out", type=Path, help="the ONNX file to write")
    parser.add_argument("figures", type=Path, help="the JSON file to write")
    parser.add_argument("--corrections", type=Path, help='JSON: {crop: "mask", ...}')
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    cv2.setNumThreads(1)
    corrections = json.loads(options.corrections.read_text()) if options.corrections else {}
    groups = load(options.crops, json.loads(options.groups.read_text()), corrections)
    parts = split(groups, options.seed)
    net = train(parts["train"], options.epochs, options.seed)
    # As they are, too few are doubtful to tell a temperature by.
    harder = in_gray(parts["validation"])
    for side in FACE_SIDES:
        harder += seen_at(parts["validation"], side)
    temperature = calibrate(net, parts["validation"] + harder)
    session = export(net, options.out)
    data = options.out.read_bytes()
    report = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "parameters": sum(p.numel() for p in net.parameters()),
        "seed": options.seed,
        "epochs": options.epochs,
        "torch": torch.__version__,
        "temperature": round(temperature, 3),
        "operating_point": WORN,
        **{name: figures(session, examples) for name, examples in parts.items()},
        **{
            f"test_at_{side}_px": figures(session, seen_at(parts["test"], side))
            for side in FACE_SIDES
        },
        "test_in_gray": figures(session, in_gray(parts["test"])),
    }
    options.figures.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
