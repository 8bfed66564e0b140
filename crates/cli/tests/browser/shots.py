"""Takes pictures of the main pages of the demo, at the width of a desk and of a phone.

shots.py LINK FOLDER: the link that the demo prints, and where the pictures go.
"""

import io
import pathlib
import sys

from PIL import Image

from browsing import DESKTOP, PHONE, Trouble, Visitor, browser

DEMO = "/o/demo"
# What is shown, and how one comes there: a path, or the name of a link on the page before.
PAGES = [
    ("overview", [DEMO]),
    ("environment", [f"{DEMO}/environments/production"]),
    ("image", [f"{DEMO}/environments/production", "shop/api"]),
    ("compare", [f"{DEMO}/compare?from=staging&to=production"]),
    ("vulnerability", [f"{DEMO}/vulnerabilities/CVE-2021-44228"]),
]
# All of them together are as large as one photograph.
LARGEST = 1_400_000
# A page that goes on and on is shown as far as this.
LONGEST = 1_700


def shoot(visitor, name, width, folder):
    page = visitor.page
    size = visitor.page.viewport_size
    height = page.evaluate("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(max(height, size["height"]), LONGEST)}
    raw = page.screenshot(full_page=True, clip=clip, animations="disabled")
    file = folder / f"{name}-{width}.webp"
    Image.open(io.BytesIO(raw)).convert("RGB").save(file, "WEBP", quality=80, method=6)
    return file.stat().st_size


def main(link, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    with browser() as it:
        for width, scheme, size in [("desktop", "light", DESKTOP), ("phone", "dark", PHONE)]:
            visitor = Visitor(it, scheme, size, link=link)
            for name, (path, *links) in PAGES:
                visitor.go(path)
                for text in links:
                    with visitor.page.expect_navigation():
                        visitor.page.locator("main").get_by_role("link", name=text).first.click()
                visitor.content(name)
                total += shoot(visitor, name, width, folder)
            visitor.close()
    if total > LARGEST:
        raise Trouble(f"the pictures are {total} bytes together, more than {LARGEST}")
    print(f"{2 * len(PAGES)} pictures, {total // 1000} kB together")


if __name__ == "__main__":
    main(*sys.argv[1:])
