"""Reading the YAML files that lie beside the code."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from mulu.errors import BrokenRules

ROOT = Path(__file__).parent
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """The file's content; BrokenRules names the file and the line when it isn't YAML."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.YAMLError as error:
        raise BrokenRules(f"{path.name}: {error}") from error


def digest(data: object) -> str:
    """sha256 of canonical JSON: the same for the same content, whatever the order of keys. Dates count as ISO text."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
