"""A straightforward port of the rules of the official evaluators to Python and numpy, for the bench of evaluators.

python evaluate.py hico|sgg PREDICTIONS TRUTH IMAGES prints {"seconds", "images", "metrics"} for the first IMAGES images. Like the
official code it makes a list of a record for each pair and predicate, sorts it, and compares boxes one by one (HICO-DET), or matches
matrices of triplets image by image (scene graphs). Reading the file counts, as it does for relflow.
"""
import json
import sys
import time
from collections import defaultdict
from functools import reduce

import numpy as np


def iou(a, b):
    if max(a[0], b[0]) >= min(a[2], b[2]) or max(a[1], b[1]) >= min(a[3], b[3]):
        return 0.0
    area = (min(a[2], b[2]) - max(a[0], b[0]) + 1) * (min(a[3], b[3]) - max(a[1], b[1]) + 1)
    return area / ((a[2] - a[0] + 1) * (a[3] - a[1] + 1) + (b[2] - b[0] + 1) * (b[3] - b[1] + 1) - area)


def overlaps(box, others):
    w = np.maximum(0.0, np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0]) + 1)
    h = np.maximum(0.0, np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1]) + 1)
    areas = (others[:, 2] - others[:, 0] + 1) * (others[:, 3] - others[:, 1] + 1)
    return w * h / ((box[2] - box[0] + 1) * (box[3] - box[1] + 1) + areas - w * h)


def suppress(subjects, objects, scores):
    order, keep = np.argsort(-scores, kind="stable"), []
    while order.size > 0:
        first, rest = order[0], order[1:]
        keep.append(first)
        order = rest[overlaps(subjects[first], subjects[rest]) * np.sqrt(overlaps(objects[first], objects[rest])) <= 0.7]
    return keep


def read(path, most):
    with open(path) as lines:
        header = json.loads(next(lines))
        yield header
        for k, line in enumerate(lines):
            if k == most:
                return
            yield json.loads(line)


def hico(predictions, truth, most):
    combinations = {tuple(pair) for pair in truth["valid"]}
    images = {image["file"]: image for image in truth["images"][:most]}
    positives, found, order = defaultdict(int), defaultdict(list), []
    for image in images.values():
        for subject, obj, verb in image["relations"]:
            triplet = (image["categories"][obj], verb)
            if triplet not in positives:
                order.append(triplet)
            positives[triplet] += 1
    lines = read(predictions, most)
    header = next(lines)
    verbs = len(header["predicates"])
    valid = np.array([[float((verb, category) in combinations) for category in header["objects"]] for verb in header["predicates"]])
    places = {name: k for k, name in enumerate(header["objects"])}
    for line in lines:
        boxes = [{"box": np.array(o["xyxy"]), "category": o["category"]} for o in line["objects"]]
        scores = np.array([pair["scores"] for pair in line["pairs"]])
        subjects = np.repeat([pair["subject"] for pair in line["pairs"]], verbs)
        objects = np.repeat([pair["object"] for pair in line["pairs"]], verbs)
        labels = np.tile(np.arange(verbs), len(scores))
        scores = scores.ravel() * valid[labels, [places[boxes[o]["category"]] for o in objects]]
        relations = [
            {"subject": s, "object": o, "verb": v, "score": score} for s, o, v, score in zip(subjects, objects, labels, scores)
        ]
        relations.sort(key=lambda relation: relation["score"], reverse=True)
        relations = relations[:100]
        classes = defaultdict(list)
        for relation in relations:
            classes[(boxes[relation["object"]]["category"], relation["verb"])].append(relation)
        kept = []
        for members in classes.values():
            of = lambda end: np.array([boxes[member[end]]["box"] for member in members])
            keep = suppress(of("subject"), of("object"), np.array([member["score"] for member in members]))
            kept += [members[k] for k in keep]
        image = images[line["image"]["file"]]
        table = np.zeros((len(image["boxes"]), len(boxes)))
        for i, box in enumerate(image["boxes"]):
            for j, other in enumerate(boxes):
                if image["categories"][i] == other["category"]:
                    table[i, j] = iou(box, other["box"])
        kept.sort(key=lambda relation: relation["score"], reverse=True)
        taken = set()
        for relation in kept:
            verb = header["predicates"][relation["verb"]]
            triplet = (boxes[relation["object"]]["category"], verb)
            best, candidate = 0, None
            for k, (subject, obj, name) in enumerate(image["relations"]):
                if name != verb:
                    continue
                smaller = min(table[subject, relation["subject"]], table[obj, relation["object"]])
                if smaller >= 0.5 and smaller > best:
                    best, candidate = smaller, k
            if triplet not in positives:
                continue
            right = candidate is not None and candidate not in taken
            if right:
                taken.add(candidate)
            found[triplet].append((relation["score"], right))
    aps = []
    for triplet in order:
        if not found[triplet]:
            aps.append(0.0)
            continue
        scores, right = (np.array(column) for column in zip(*found[triplet]))
        right = right[np.argsort(-scores, kind="stable")].astype(float)
        recall = np.cumsum(right) / positives[triplet]
        precision = np.cumsum(right) / np.arange(1, len(right) + 1)
        ap = 0.0
        for threshold in np.arange(0.0, 1.1, 0.1):
            reached = recall >= threshold
            ap += (np.max(precision[reached]) if reached.any() else 0.0) / 11
        aps.append(ap)
    return {"mAP": float(np.mean(aps))}


def matches(truth, truth_boxes, triplets, boxes):
    equal = (truth[:, None, :] == triplets[None, :, :]).all(-1)
    hits = [[] for _ in range(len(triplets))]
    for k in np.where(equal.any(1))[0]:
        near = (overlaps(truth_boxes[k, :4], boxes[equal[k], :4]) >= 0.5) & (overlaps(truth_boxes[k, 4:], boxes[equal[k], 4:]) >= 0.5)
        for place in np.where(equal[k])[0][near]:
            hits[place].append(k)
    return hits


def sgg(predictions, truth, most):
    lines = read(predictions, most)
    header = next(lines)
    labels = {name: k for k, name in enumerate(truth["objects"])}
    images = {image["id"]: image for image in truth["images"][:most]}
    results = {"R@20": [], "R@50": [], "R@100": [], "ngR@20": [], "ngR@50": [], "ngR@100": []}
    by_predicate = defaultdict(list)
    for line in lines:
        image = images[line["image"]["id"]]
        relations = np.array(image["relations"])
        boxes, classes = np.array(image["boxes"]), np.array(image["labels"])
        true = np.column_stack((classes[relations[:, 0]], relations[:, 2], classes[relations[:, 1]]))
        true_boxes = np.column_stack((boxes[relations[:, 0]], boxes[relations[:, 1]]))
        found = np.array([o["xyxy"] for o in line["objects"]])
        names = np.array([labels[o["category"]] for o in line["objects"]])
        certain = np.array([o["score"] for o in line["objects"]])
        pairs = np.array([[pair["subject"], pair["object"]] for pair in line["pairs"]])
        scores = np.array([pair["scores"] for pair in line["pairs"]])
        best = scores.argmax(1)
        both = certain[pairs].prod(1)
        every = both[:, None] * scores
        top = np.column_stack(np.unravel_index(np.argsort(-every.ravel()), every.shape))[:100]
        for prefix, ends, predicates in (("", pairs, best), ("ng-", pairs[top[:, 0]], top[:, 1])):
            triplets = np.column_stack((names[ends[:, 0]], predicates, names[ends[:, 1]]))
            hits = matches(true, true_boxes, triplets, np.column_stack((found[ends[:, 0]], found[ends[:, 1]])))
            for cut in (20, 50, 100):
                # The official code unites the found relations anew for each measure.
                results[f"{prefix}R@{cut}".replace("-", "")].append(len(reduce(np.union1d, hits[:cut])) / len(relations))
                hit = reduce(np.union1d, hits[:cut])
                for predicate in range(len(truth["predicates"])):
                    of = relations[:, 2] == predicate
                    if of.any():
                        right = sum(of[int(k)] for k in hit)
                        by_predicate[f"{prefix}mR@{cut}", predicate].append(right / of.sum())
    metrics = {name: float(np.mean(values)) for name, values in results.items()}
    for (name, _), values in by_predicate.items():
        metrics[name] = metrics.get(name, 0.0) + float(np.mean(values)) / len(truth["predicates"])
    return metrics


benchmark, predictions_file, truth_file, images = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
started = time.perf_counter()
with open(truth_file) as file:
    written = json.load(file)
numbers = {"hico": hico, "sgg": sgg}[benchmark](predictions_file, written, images)
print(json.dumps({"seconds": time.perf_counter() - started, "images": images, "metrics": numbers}))
