"""Draw the picture of the explorer that the documents show."""

import sys
from pathlib import Path

from explorer.bench.browser import chromium, measure_drag, serving
from tests.browser.harness import ROOT, until_ready

PICTURE = ROOT / "notebooks" / "images" / "app.png"


def main(path=PICTURE, network="lenet-300-100"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with serving(network) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script("localStorage.setItem('compression-explorer.tour.1', 'seen')")
        page.goto(address)
        until_ready(page)
        measure_drag(page, to=0.9, duration_s=1.0)
        page.wait_for_timeout(2000)
        page.screenshot(path=path)
        page.close(run_before_unload=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
