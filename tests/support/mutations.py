"""Random changes of JSON documents, for tests of the code that reads them."""

import copy
import json
import math

import numpy as np

VALUES = [
    None, True, False, 0, 1, -1, 2**31, 2**70, 10**400, 0.5, -0.0, math.nan, math.inf,
    "", "tanh", "word", "\ud800", "x" * 5000, [], [1], ["SENTENCE_START"], {}, {"a": 1}, [[[[]]]],
]  # fmt: skip


def places(document):
    """Yield every (container, key) within a document."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in list(items):
        yield document, key
        if isinstance(value, (dict, list)):
            yield from places(value)


def edited(entry, generator):
    """Return a JSON document, as the bytes of a file's entry, with one to four parts changed, moved or removed."""
    document = json.loads(entry.tobytes())
    for _ in range(generator.choice([1, 1, 1, 2, 4])):
        container, key = generator.choice(list(places(document)))
        action = generator.randrange(4)
        if action == 0:
            del container[key]
        elif action == 1 and isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        elif action == 2 and isinstance(container, dict):
            container[generator.choice(["words", "version", "level", "", "extra"])] = container.pop(key)
        else:
            container[key] = copy.deepcopy(generator.choice(VALUES))
        if not list(places(document)):
            break
    return np.frombuffer(json.dumps(document).encode("ascii"), np.uint8)
