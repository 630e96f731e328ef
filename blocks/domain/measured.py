"""What the journal says of one look at a revision, in words."""

import json


def tell_measured(payload: str) -> str:
    """The sentences of all samples that were taken at one instant."""
    return "; ".join(str(one["sentence"]) for one in json.loads(payload))
