"""What a person would write: reads scene graphs line by line, and writes COCO with json or Parquet with pyarrow."""
import json
import sys

kind, source, target = sys.argv[1:]


def graphs():
    with open(source, encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


if kind == "coco":
    images, annotations, relations, categories, predicates = [], [], [], {}, {}
    for graph in graphs():
        image = graph["image"]
        images.append({"id": image["id"], "file_name": image["file"], "width": image["width"], "height": image["height"]})
        for o in graph["objects"]:
            category = categories.setdefault(o["category"], len(categories) + 1)
            x, y, w, h = o["box"]
            annotations.append({"id": o["id"], "image_id": image["id"], "category_id": category, "bbox": o["box"], "area": w * h, "iscrowd": 0, "segmentation": []})
        for r in graph["relations"]:
            predicate = predicates.setdefault(r["predicate"], len(predicates))
            relations.append({"id": len(relations) + 1, "image_id": image["id"], "subject_id": graph["objects"][r["subject"]]["id"], "object_id": graph["objects"][r["object"]]["id"], "predicate_id": predicate, "score": r["confidence"]})
    names = lambda of: [{"id": number, "name": name} for name, number in of.items()]
    with open(target, "w", encoding="utf-8") as file:
        json.dump({"images": images, "annotations": annotations, "rel_annotations": relations, "categories": names(categories), "rel_categories": names(predicates)}, file)
else:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([
        ("image_id", pa.int64()), ("file_name", pa.string()), ("width", pa.int32()), ("height", pa.int32()), ("source", pa.string()),
        ("captions", pa.list_(pa.string())),
        ("objects", pa.list_(pa.struct([("id", pa.string()), ("category", pa.string()), ("bbox", pa.list_(pa.float64())), ("score", pa.float64())]))),
        ("relations", pa.list_(pa.struct([("subject", pa.int32()), ("object", pa.int32()), ("predicate", pa.string()), ("confidence", pa.float64())]))),
    ])
    rows = []
    with pq.ParquetWriter(target, schema) as writer:
        for graph in graphs():
            image = graph["image"]
            rows.append({
                "image_id": image["id"], "file_name": image["file"], "width": image["width"], "height": image["height"], "source": image["dataset"],
                "captions": [c["text"] for c in graph["captions"]],
                "objects": [{"id": str(o["id"]), "category": o["category"], "bbox": o["box"], "score": o.get("score")} for o in graph["objects"]],
                "relations": [{"subject": r["subject"], "object": r["object"], "predicate": r["predicate"], "confidence": r.get("confidence")} for r in graph["relations"]],
            })
            if len(rows) == 1000:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                rows = []
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
