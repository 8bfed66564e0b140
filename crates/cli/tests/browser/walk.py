"""Walks through every page of the demo, as people with different eyes, hands and browsers do.

walk.py LINK PAGES: the link that the demo prints, and a file with the pages that there are.
"""

import sys
from urllib.parse import parse_qsl, urlsplit

from browsing import DESKTOP, PHONE, Pages, Trouble, Visitor, asked, browser, furnish

ORGANISATION = "demo"
# So many pages of a kind are opened: there is one for each image.
EACH, MOST = 3, 400
# What only leads elsewhere is never where one is, and who has logged in is led on from where one does.
ELSEWHERE = {"search", "log_in"}
# What a hand on the keyboard can come to; of several to choose one from, the arrows come to the others.
STOPS = """() => [...document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
  .filter((it) => it.type !== "radio" || it.checked)
  .filter((it) => it.getClientRects().length > 0 && !it.disabled
    && getComputedStyle(it).visibility !== "hidden" && (!it.closest("details:not([open])") || it.matches("summary")))
"""
HEAR = """() => {
  window.reached = new Set();
  window.unseen = [];
  document.addEventListener("focusin", (event) => {
    const it = event.target;
    window.reached.add(it);
    const style = getComputedStyle(it);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) === 0)
      window.unseen.push(`no outline: ${it.outerHTML.slice(0, 200)}`);
    const box = it.getBoundingClientRect();
    if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth)
      window.unseen.push(`out of sight: ${it.outerHTML.slice(0, 200)}`);
  });
}"""


def found(visitor, pages):
    """Every page, by the paths that people come to by pressing links; of each kind a few."""
    kinds, views = {}, {}
    left = pages.known(ORGANISATION) + ["/?all=1"]
    seen = set(left)
    taken = set()
    opened = 0
    while left and opened < MOST:
        path = left.pop(0)
        kind = pages.of(path)
        if kind is None:
            raise Trouble(f"{path}: a link leads there, and there is no such page")
        # A view of something is a page of its own; some of each are enough.
        view = dict(parse_qsl(urlsplit(path).query)).get("view", "")
        if views.get((kind, view), 0) >= EACH:
            continue
        views[kind, view] = views.get((kind, view), 0) + 1
        answer = visitor.page.goto(visitor.root + path)
        opened += 1
        if answer.status != 200:
            raise Trouble(f"{path}: {answer.status}")
        if pages.of(visitor.page.url[len(visitor.root):]) == kind:
            kinds.setdefault(kind, []).append(path)
        for link in visitor.links():
            if "format=" in link:
                taken.add(link)
            elif link not in seen and not link.startswith(("/api/", "/assets/")):
                seen.add(link)
                left.append(link)
    visitor.content("walking")
    # To what has a secret in its path no link leads.
    secret = {it["id"] for it in pages.all if "{secret}" in it["path"]}
    missing = {it["id"] for it in pages.all} - set(kinds) - ELSEWHERE - secret
    if missing:
        raise Trouble(f"no link leads to {sorted(missing)}")
    return kinds, sorted(taken)


def for_strangers(visitor, pages):
    """What they see who have not logged in: the way in, that there is nothing, and what an invitation says."""
    made = asked(visitor, "POST", "invitations", {"role": "member"}, 201)
    secret = made.json()["secret"]
    there = [("/login", 200), (f"/join/{secret}", 200)]
    for page in pages.all:
        if "{secret}" in page["path"] and not page["path"].startswith("/join/"):
            there.append((page["path"].replace("{secret}", secret), None))
    return there


def take_away(visitor, paths):
    """Every table can be taken away."""
    if not paths:
        raise Trouble("no table can be taken away")
    troubles = []
    for path in paths:
        answer = visitor.context.request.get(visitor.root + path)
        kind = answer.headers.get("content-type", "")
        wanted = "text/csv" if "format=csv" in path else "application/json"
        if answer.status != 200 or not kind.startswith(wanted):
            troubles.append(f"{path}: {answer.status} {kind}")
    if troubles:
        raise Trouble("\n".join(troubles))


def by_keyboard(visitor, path):
    """All that can be pressed is come to by the Tab key, and is seen when one is there."""
    visitor.go(path)
    page = visitor.page
    page.evaluate(HEAR)
    stops = page.evaluate(f"({STOPS})().length")
    for _ in range(stops + 3):
        page.keyboard.press("Tab")
    missed = page.evaluate(
        f"({STOPS})().filter(it => !window.reached.has(it)).map(it => it.outerHTML.slice(0, 200))"
    )
    unseen = page.evaluate("window.unseen")
    if missed or unseen:
        raise Trouble(f"{path}: the keyboard does not come to {missed[:5]}, and {unseen[:5]}")
    visitor.content(path)


def skips(visitor):
    """The first thing a keyboard comes to leads past the menu."""
    visitor.go(f"/o/{ORGANISATION}")
    page = visitor.page
    page.keyboard.press("Tab")
    if page.evaluate("document.activeElement.getAttribute('href')") != "#main":
        raise Trouble("the first stop is not the way past the menu")
    page.keyboard.press("Enter")
    page.wait_for_function("location.hash === '#main'")
    page.keyboard.press("Tab")
    if not page.evaluate("document.getElementById('main').contains(document.activeElement)"):
        raise Trouble("the way past the menu leads elsewhere")


def everywhere(browser, link, kinds, strangers):
    """Everybody can use every page, in whichever light and at whichever width."""
    troubles = []

    def look(visitor, path, status):
        try:
            answer = visitor.page.goto(visitor.root + path)
            # What an invitation is not good for may be refused, with a page.
            if (status is None and answer.status >= 500) or status not in (None, answer.status):
                raise Trouble(f"{path}: {answer.status}")
            visitor.usable(path)
            visitor.content(path, refused=status != 200)
        except Trouble as trouble:
            troubles.append(str(trouble))

    for scheme, size in [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)]:
        visitor = Visitor(browser, scheme, size, link=link)
        for paths in kinds.values():
            # All of them once, and one of each in every light.
            for path in paths if (scheme, size) == ("light", DESKTOP) else paths[:1]:
                look(visitor, path, 200)
        for path in [f"/o/{ORGANISATION}/nothing/of/the/sort", "/o/somebody-elses"]:
            look(visitor, path, 404)
        root = visitor.root
        visitor.close()
        stranger = Visitor(browser, scheme, size, root=root)
        for path, status in strangers:
            look(stranger, path, status)
        stranger.close()
    if troubles:
        raise Trouble("\n\n".join(troubles))


def main(link, file):
    pages = Pages(file)
    with browser() as it:
        first = Visitor(it, link=link)
        furnish(first)
        kinds, taken = found(first, pages)
        strangers = for_strangers(first, pages)
        troubles = []
        ways = [lambda: take_away(first, taken), lambda: skips(first)]
        ways += [lambda path=paths[0]: by_keyboard(first, path) for paths in kinds.values()]
        ways.append(lambda: everywhere(it, link, kinds, strangers))
        for way in ways:
            # Whoever mends one thing wants to know of the others.
            try:
                way()
            except Trouble as trouble:
                troubles.append(str(trouble))
        first.close()
        if troubles:
            raise Trouble("\n\n".join(troubles))
        plain = Visitor(it, script=False, link=link)
        for paths in kinds.values():
            plain.go(paths[0])
            plain.content(paths[0])
            if not plain.page.locator("main h1").first.inner_text().strip():
                raise Trouble(f"{paths[0]}: without JavaScript there is nothing")
        plain.close()
    print("walked:", ", ".join(f"{kind} {len(paths)}" for kind, paths in kinds.items()))
    print(f"taken away: {len(taken)} tables")


if __name__ == "__main__":
    main(*sys.argv[1:])
