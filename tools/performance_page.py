"""Write the figures of `rl-pipeline benchmark all --json FILE` into the table of docs/performance.md.

python tools/performance_page.py all.json docs/performance.md
"""

import argparse
import json
import re
import statistics
from pathlib import Path

DIGITS = {"share of the echo": ".2f", "times as fast": ".1f", "steps/s": ",.0f", "of it bare imports": ".2f"}


def main() -> None:
    """Replace the table between the page's markers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path, help="file written by `rl-pipeline benchmark all --json`")
    parser.add_argument("page", type=Path, help="a page with the markers <!-- figures --> and <!-- end of figures -->")
    arguments = parser.parse_args()
    rows = [row(figure) for figure in json.loads(arguments.figures.read_text())["figures"]]
    table = "\n".join(["| case | figure | spread | to be reached |", "|---|---|---|---|", *rows])
    page, count = re.subn(
        r"(<!-- figures -->\n).*?(<!-- end of figures -->)",
        lambda found: f"{found[1]}{table}\n{found[2]}",
        arguments.page.read_text(),
        flags=re.DOTALL,
    )
    if count != 1:
        parser.error(f"{arguments.page}: expected the markers <!-- figures --> and <!-- end of figures --> once")
    arguments.page.write_text(page)


def row(figure: dict) -> str:
    """Return a row of the table."""
    digits, values = DIGITS[figure["unit"]], figure["values"]
    reach = f"{figure['reach']:{digits}}" if figure["reach"] else ""
    spread = f"{min(values):{digits}} to {max(values):{digits}}"
    return f"| {figure['name']} | {statistics.median(values):{digits}} {figure['unit']} | {spread} | {reach} |"


if __name__ == "__main__":
    main()
