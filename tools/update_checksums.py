"""Write the SHA-256 of every shipped file into the catalogue, after an intended change of the data.

Usage: python tools/update_checksums.py
"""

import re
import sys

from caspian_sim.data.reader import sha256
from caspian_sim.data.registry import CATALOGUE, TABLES


def main() -> int:
    text = CATALOGUE.read_text(encoding="utf-8")
    missing = []

    def rewrite(found: re.Match[str]) -> str:
        path = TABLES / found["file"]
        if not path.exists():
            missing.append(path.name)
            return found[0]
        return f'{found["before"]}"{sha256(path.read_bytes())}"'

    # Text is edited rather than dumped anew, so that comments and layout of the catalogue stay as they are.
    pattern = re.compile(
        r'(?P<before>^  file: (?P<file>\S+)\n(?:(?!^\S).*\n)*?  sha256: )"[0-9a-f]*"', re.MULTILINE
    )
    rewritten = pattern.sub(rewrite, text)
    if rewritten != text:
        CATALOGUE.write_text(rewritten, encoding="utf-8")
    for name in missing:
        print(f"{name}: no such file in {TABLES}, checksum left as it is", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
