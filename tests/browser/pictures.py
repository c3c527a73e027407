"""Draw the pictures that stand in for the live explorer of the chapters, where no kernel runs.

python -m tests.browser.pictures [CHAPTER ...]
"""

import sys
from io import BytesIO
from urllib.parse import urljoin

from PIL import Image

from explorer.bench.browser import chromium, serving
from tests.browser.harness import READY_MS, ROOT

FOLDER = ROOT / "notebooks"
CHAPTERS = sorted(
    path.stem for path in FOLDER.glob("*.ipynb") if '"still"' in path.read_text(encoding="utf-8")
)
WIDTH, HEIGHT = 1280, 900
TALL = {"07_train": 1500}
N_COLORS = 160
MOST_BYTES = 120_000
EXPLORER = ".ex-root:has(> .ex-page)"
MEASURED = """() => /n = /.test(
    document.querySelector(".ex-figure-accuracy .ex-detail")?.textContent)"""


def run_a_plan(page):
    """Start a training run, and wait for its end."""
    page.locator(".ex-run-start:visible").click()
    page.wait_for_selector(".ex-train-use:not(.ex-hidden):visible", timeout=READY_MS)


def until_asked(page):
    """Wait until the teacher has answered."""
    page.wait_for_selector(".ex-images-picked .ex-image", timeout=READY_MS)


FIRST = {"07_train": run_a_plan, "08_distill": until_asked}


def draw(page, address, chapter):
    """Open a chapter and return its explorer as the bytes of a PNG."""
    page.add_init_script("localStorage.setItem('compression-explorer.tour.1', 'seen')")
    page.goto(urljoin(address, f"voila/render/{chapter}.ipynb"), timeout=READY_MS)
    page.wait_for_function(MEASURED, timeout=READY_MS)
    FIRST.get(chapter, lambda page: None)(page)
    page.wait_for_timeout(3000)
    page.locator(EXPLORER).evaluate("(explorer) => explorer.scrollIntoView()")
    page.wait_for_timeout(500)
    shot = page.screenshot()
    picture = Image.open(BytesIO(shot)).convert("RGB").quantize(N_COLORS)
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def main(chapters):
    """Draw some chapters' pictures, all of them by default."""
    with serving() as address, chromium() as browser:
        for chapter in chapters or CHAPTERS:
            page = browser.new_page(viewport={"width": WIDTH, "height": TALL.get(chapter, HEIGHT)})
            png = draw(page, address, chapter)
            page.close(run_before_unload=True)
            (FOLDER / "images" / f"{chapter}.png").write_bytes(png)
            print(f"{chapter}: {len(png):,} bytes")
            if len(png) > MOST_BYTES:
                sys.exit(f"{chapter}: a picture may have {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
