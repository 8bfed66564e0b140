"""A first-time visitor asks the three questions of the guides, by the clicks that docs/dashboard.md tells; and
what needs a script works.

ask.py LINK: the link that the demo prints.
"""

import sys
import time

from browsing import PHONE, Trouble, Visitor, asked, browser

# Under a minute each, says the promise; a person reads and aims, a program does not.
MINUTE = 60


def said(what, expected, text):
    for it in expected:
        if it not in text:
            raise Trouble(f"{what}: `{it}` is not said:\n{text}")


def which_are_in_production(visitor):
    """Which CVEs are in production now?"""
    page = visitor.page
    page.get_by_role("heading", name="production").get_by_role("link").click()
    page.get_by_role("heading", level=1, name="production").wait_for()
    page.locator("main table").get_by_role("link", name="shop/api").first.click()
    page.get_by_role("heading", level=1, name="shop/api").wait_for()
    text = page.locator("main").inner_text()
    said("what is in production", ["CVE-2021-44228", "log4j-core"], text)
    return 2


def what_changed(visitor):
    """What changed between the last staging and production deployments?"""
    page = visitor.page
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Compare").click()
    page.get_by_role("heading", level=1, name="Compare").wait_for()
    page.get_by_label("Look at").fill("staging")
    page.get_by_label("Hold it against").fill("production")
    page.locator("main").get_by_role("button", name="Compare").click()
    page.get_by_role("heading", level=1, name="staging, held against production").wait_for()
    # What is folded is unfolded: with a script or without.
    page.get_by_text("Vulnerabilities that differ").first.click()
    page.get_by_text("CVE-2021-44228").locator("visible=true").first.wait_for()
    said("what changed", ["introduced", "fixed"], page.locator("main").inner_text())
    return 2


def how_many_criticals(visitor):
    """How many criticals are there per environment?"""
    page = visitor.page
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Environments").click()
    page.get_by_role("heading", level=1, name="Environments").wait_for()
    text = page.locator("main table").inner_text()
    said("how many criticals", ["production", "staging"], text)
    heads = [it.lower() for it in page.locator("main table thead th").all_inner_texts()]
    if not any("critical" in it for it in heads):
        raise Trouble(f"no column says how many criticals: {heads}")
    return 1


QUESTIONS = [which_are_in_production, what_changed, how_many_criticals]


def theme(visitor):
    """Light or dark is chosen by a button, and stays chosen."""
    page = visitor.page
    page.goto(visitor.root + "/o/demo")
    button = page.locator("#theme")
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    button.click()
    after = page.evaluate(ground)
    page.reload()
    if before == after or page.evaluate(ground) != after:
        raise Trouble(f"the button changes nothing that stays: {before}, {after}")
    page.locator("#theme").focus()
    page.keyboard.press("Enter")
    if page.evaluate(ground) != before:
        raise Trouble("the button leads only one way")


def search(visitor):
    """`/` leads to the search, and that to the page of what was typed."""
    page = visitor.page
    page.goto(visitor.root + "/o/demo")
    for typed, leads in [
        ("CVE-2021-44228", "/vulnerabilities/CVE-2021-44228"),
        ("production", "/environments/production"),
    ]:
        page.keyboard.press("/")
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{leads}*")
        # Whoever came by typing goes on typing.
        page.evaluate("document.activeElement.blur()")


def charts(visitor):
    """What a chart shows is told where one points, by mouse or by arrow."""
    page = visitor.page
    page.goto(visitor.root + "/o/demo/environments/production")
    chart = page.locator(".trend").first
    chart.locator(".point").first.hover()
    told = chart.get_by_role("status")
    by_mouse = told.inner_text()
    chart.locator("svg").focus()
    page.keyboard.press("ArrowLeft")
    by_arrow = told.inner_text()
    if not by_mouse or not by_arrow or by_mouse == by_arrow:
        raise Trouble(f"a chart tells nothing: {by_mouse!r}, {by_arrow!r}")


def live(visitor):
    """What happens while one looks is drawn."""
    page = visitor.page
    page.goto(visitor.root + "/o/demo")
    # It listens once this answers; what happens before it would be missed by nobody but this test.
    with page.expect_response("**/events/live*"):
        page.reload()
    asked(visitor, "POST", "environments", {"name": "qa"}, 201)
    page.get_by_role("heading", name="qa").wait_for()
    asked(visitor, "DELETE", "environments/qa", None, 204)


def five_seconds(visitor):
    """Production is in trouble: since when, why, and what to do is on the first screen, at any width."""
    page = visitor.page
    page.goto(visitor.root + "/o/demo")
    first = page.locator(".state").first
    box = first.bounding_box()
    if box is None or box["y"] + box["height"] > page.viewport_size["height"]:
        raise Trouble(f"{visitor.name}: what production is in is below the first screen: {box}")
    said("the first screen", ["In trouble", "critical", "ago", "CVE-2021-44228", "update to"], first.inner_text())


def main(link):
    with browser() as it:
        visitor = Visitor(it, link=link)
        for question in QUESTIONS:
            visitor.page.goto(visitor.root + "/o/demo")
            began = time.monotonic()
            clicks = question(visitor)
            took = time.monotonic() - began
            visitor.content(question.__doc__)
            print(f"{question.__doc__} {clicks} clicks, {took:.1f} s")
            if took > MINUTE:
                print("(this machine is slow)")
        for way in [theme, search, charts, live, five_seconds]:
            way(visitor)
            visitor.content(way.__doc__)
        visitor.close()
        plain = Visitor(it, script=False, link=link)
        for question in QUESTIONS:
            plain.page.goto(plain.root + "/o/demo")
            question(plain)
        plain.content("the three questions")
        plain.close()
        small = Visitor(it, size=PHONE, link=link)
        five_seconds(small)
        small.content("a phone")
        small.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
