"""JSON Patch (RFC 6902) on the attributes of an entity."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import jsonpatch
import jsonpointer

from allmende.domain.creation import encode, too_deep
from allmende.domain.errors import Conflict, InvalidInput, LimitExceeded
from allmende.domain.face import FaceLimits


def apply_patch(current: Mapping[str, Any], patch: object, limits: FaceLimits) -> dict[str, Any]:
    """What a patch changes, as the body of a merging PATCH: new values by attribute, null for what was taken away.

    Raises Conflict where a ``test`` fails, InvalidInput for what is no patch or leads nowhere, LimitExceeded for too
    many operations, and for too much that is copied: what is copied into itself doubles each time.
    """
    if not isinstance(patch, list) or not all(isinstance(operation, dict) for operation in patch):
        raise InvalidInput("a JSON Patch is a list of operations")
    if len(patch) > limits.patch_operations:
        raise LimitExceeded(f"this JSON Patch has {len(patch)} operations", setting="ALLMENDE_PATCH_OPERATIONS")
    document: Any = deepcopy(dict(current))
    copied = 0
    for place, operation in enumerate(patch):
        if operation.get("op") == "copy":
            copied += _size(document, operation.get("from"))
            if copied > limits.patch_bytes:
                raise LimitExceeded(
                    f"this JSON Patch copies {copied} characters", setting="ALLMENDE_PATCH_BYTES", where=f"[{place}]"
                )
        document = _apply(document, operation, f"[{place}]")
    if not isinstance(document, dict):
        raise InvalidInput("an entity is a JSON object")
    # Compared as text: to Python 1, 1.0 and true are one.
    body = {k: v for k, v in document.items() if k not in current or encode(v) != encode(current[k])}
    return body | {name: None for name in current if name not in document}


def _apply(document: Any, operation: dict[str, Any], where: str) -> Any:
    try:
        changed = jsonpatch.apply_patch(document, [operation], in_place=True)
    except jsonpatch.JsonPatchTestFailed as error:
        raise Conflict("the test does not hold", where=where) from error
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
        raise InvalidInput(f"this operation cannot be done: {error}"[:300], where=where) from None
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError):
        raise InvalidInput("this is no operation on this entity", where=where) from None
    if operation.get("op") == "copy" and too_deep(changed, 100):
        raise InvalidInput("this is nested too deep", where=where)
    return changed


def _size(document: Any, pointer: Any) -> int:
    """How many characters stand there; 0 where there is nothing, which the operation itself then says."""
    try:
        return len(encode(jsonpointer.resolve_pointer(document, pointer)))
    except (jsonpointer.JsonPointerException, TypeError, ValueError, KeyError, IndexError, AttributeError):
        return 0
