"""Builds the wheel for ``pip install`` (PEP 517), so that it needs no network and nothing installed.

The one file becomes a package, since a module without one cannot say that it is typed (PEP 561).
"""

import base64
import hashlib
import os
import re
import zipfile
from typing import Any, Dict, Optional

FOLDER = os.path.dirname(os.path.abspath(__file__))


def _read(name: str) -> str:
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


def _field(name: str) -> str:
    match = re.search(r'^%s = "(.*)"$' % re.escape(name), _read("pyproject.toml"), re.MULTILINE)
    if match is None:
        raise ValueError("pyproject.toml has no %s" % name)
    return match.group(1)


def build_wheel(
    wheel_directory: str, config_settings: Optional[Dict[str, Any]] = None, metadata_directory: Optional[str] = None
) -> str:
    version = _field("version")
    stem = "update_lock_client-" + version
    metadata = "Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: %s\nLicense: Apache-2.0\nRequires-Python: %s\n" % (
        _field("name"), version, _field("description"), _field("requires-python"),
    )
    files = {
        "update_lock/__init__.py": _read("update_lock.py"),
        "update_lock/py.typed": "",
        stem + ".dist-info/METADATA": metadata + "Description-Content-Type: text/markdown\n\n" + _read("README.md"),
        stem + ".dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: update-lock\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = stem + ".dist-info/RECORD"
    lines = []
    for name, text in files.items():
        content = text.encode("utf-8")
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
        lines.append("%s,sha256=%s,%d\n" % (name, digest, len(content)))
    files[record] = "".join(lines) + record + ",,\n"
    wheel = stem + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            # The same files make the same wheel, whenever it is built.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text.encode("utf-8"))
    return wheel


def build_sdist(sdist_directory: str, config_settings: Optional[Dict[str, Any]] = None) -> str:
    raise NotImplementedError("there is only a wheel: the source is this folder")
