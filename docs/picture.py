"""Makes `docs/acta.png` from a running tour: the version's page and the card's first page, side by side.

    uv run acta demo --directory acta-demo --serve
    uv run python docs/picture.py acta-demo http://127.0.0.1:PORT

Needs Chromium and pdftoppm (poppler-utils).
"""

import io
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HEIGHT = 1200
MARGIN = 24
GROUND = "#d3d9d7"


def page_of_version(url: str, token: str) -> Image.Image:
    """The top of the version's page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1180, "height": HEIGHT})
        page.goto(f"{url}/sign-in?next=/models/credit-default/versions/1")
        page.fill("input[type=password]", token)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{url}/models/credit-default/versions/1")
        shot = page.screenshot()
        browser.close()
    return Image.open(io.BytesIO(shot)).convert("RGB")


def first_page(card: Path) -> Image.Image:
    """The card's cover."""
    command = ["pdftoppm", "-png", "-r", "110", "-f", "1", "-l", "1", str(card)]
    done = subprocess.run(command, capture_output=True, check=True)
    cover = Image.open(io.BytesIO(done.stdout)).convert("RGB")
    return cover.resize((round(cover.width * HEIGHT / cover.height), HEIGHT))


def main() -> None:
    """Write the picture."""
    directory, url = Path(sys.argv[1]), sys.argv[2]
    token = (directory / "tokens" / "auditor").read_text().strip()
    parts = [page_of_version(url, token), first_page(directory / "model-card.pdf")]
    width = sum(part.width for part in parts) + MARGIN * 3
    picture = Image.new("RGB", (width, HEIGHT + MARGIN * 2), GROUND)
    left = MARGIN
    for part in parts:
        picture.paste(part, (left, MARGIN))
        left += part.width + MARGIN
    picture.quantize(256, method=Image.Quantize.FASTOCTREE).save(Path(__file__).with_name("acta.png"), optimize=True)


if __name__ == "__main__":
    main()
