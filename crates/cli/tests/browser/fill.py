"""Fills in every form of the demo: by mouse, and by keyboard. What comes of it is an answer that a person
can read, whatever they wrote.

fill.py LINK PAGES: the link that the demo prints, and a file with the pages that there are.
"""

import sys
from urllib.parse import parse_qsl, urlsplit

from browsing import Pages, Trouble, Visitor, browser, furnish

ORGANISATION = "demo"
# So many forms are filled in: what comes of one may have others.
MOST = 150
# Pages of a kind, of which something is asked.
SEVERAL = 15
# What is written into fields of these names; into others goes what their kind asks for.
SAID = {
    "q": "log4j-core",
    "flaws": "CVE-2021-44228",
    "repository": "registry.example/shop/other",
    "to": "staging",
    "from": "production",
    "note": "A note, with <b>markup</b>.",
    "password": "a green horse that runs",
}
FORMS = """() => [...document.querySelectorAll("form")].map((form, at) => ({
  at,
  method: form.method,
  action: new URL(form.action, location.href).pathname,
  fields: [...form.elements].filter((it) => it.name && it.type !== "hidden").map((it) => it.name),
  buttons: [...form.querySelectorAll("button:not([type=button])")].map((it) => it.textContent.trim()),
  opened: form.closest("details:not([open])") === null,
}))"""


def kinds_of_forms(visitor, pages):
    """What can be filled in on the page that is open: each kind of form once."""
    for form in visitor.page.evaluate(FORMS):
        page = pages.of(form["action"]) or form["action"]
        fields, buttons = tuple(sorted(set(form["fields"]))), tuple(form["buttons"])
        for button in range(len(buttons)):
            yield (page, form["method"], fields, buttons, button), form["at"], button


def write(form):
    """Fills in what is empty."""
    for field in form.locator("input:not([type=hidden]), textarea").all():
        kind = field.get_attribute("type") or "text"
        if kind in ("checkbox", "radio", "submit", "button") or not field.is_visible():
            continue
        if field.input_value() and not field.get_attribute("required"):
            continue
        name = field.get_attribute("name") or ""
        usual = {"number": "7", "date": "2030-01-01", "url": "https://foretop.example", "email": "ada@foretop.example"}
        field.fill(SAID.get(name, usual.get(kind, "demo")))
    for field in form.locator("select").all():
        if field.is_visible():
            field.select_option(index=field.locator("option").count() - 1)


def opened(visitor, at):
    """The form, with whatever hides it opened."""
    form = visitor.page.locator("form").nth(at)
    form.evaluate("it => { for (let up = it.closest('details'); up; up = up.parentElement.closest('details')) up.open = true; }")
    return form


def send(visitor, at, button, by_keyboard):
    """Sends it, and reads what comes of it."""
    form = opened(visitor, at)
    write(form)
    # What the browser itself would refuse, others send: the server refuses it as well.
    form.evaluate("it => { if (!it.checkValidity()) it.noValidate = true; }")
    pressed = form.locator("button:not([type=button])").nth(button)
    page = visitor.page
    page.evaluate("window.before = true")
    with page.expect_response(is_answer) as went:
        if by_keyboard:
            pressed.focus()
            page.keyboard.press("Enter")
        else:
            pressed.click(no_wait_after=True)
    answer = went.value
    # A file is taken away, and the page stays; all else is another page.
    if answer.headers.get("content-type", "").startswith("text/html"):
        page.wait_for_function("!window.before && document.readyState === 'complete'")
    return answer


def is_answer(it):
    return it.request.is_navigation_request() and it.status not in (301, 302, 303, 307, 308)


def main(link, file):
    pages = Pages(file)
    with browser() as it:
        visitor = Visitor(it, link=link)
        furnish(visitor)
        left = pages.known(ORGANISATION)
        seen, filled, walked = set(), [], {}
        # Where there are forms: on the pages that are known, on those that they lead to, and on what comes
        # of forms.
        while left:
            path = left.pop(0)
            kind = pages.of(path)
            # One of each, and of what is asked of a page several: steps and kinds of things are.
            asked = kind, tuple(sorted(key for key, _ in parse_qsl(urlsplit(path).query)))
            if walked.get(asked, 0) >= (SEVERAL if asked[1] else 1):
                continue
            walked[asked] = walked.get(asked, 0) + 1
            if visitor.page.goto(visitor.root + path).status >= 500:
                raise Trouble(f"{path} cannot be opened")
            if visitor.page.url.endswith("/login") and kind != "log_in":
                visitor.page.goto(link)
                visitor.page.goto(visitor.root + path)
            for link_there in visitor.links():
                if pages.of(link_there) and "format=" not in link_there:
                    left.append(link_there)
            for form, at, button in list(kinds_of_forms(visitor, pages)):
                if form in seen or len(filled) >= MOST:
                    continue
                seen.add(form)
                # The way out comes last.
                if form[0] == "log_out":
                    continue
                for by_keyboard in (False, True):
                    visitor.page.goto(visitor.root + path)
                    there = [it for it in kinds_of_forms(visitor, pages) if it[0] == form]
                    if not there:
                        # It did what it said: what it was for is not there any more.
                        continue
                    answer = send(visitor, there[0][1], button, by_keyboard)
                    what = f"{path}: {form[2]} by {'keyboard' if by_keyboard else 'mouse'}"
                    if answer.status >= 500:
                        raise Trouble(f"{what}: {answer.status}")
                    if not visitor.page.locator("main h1").first.inner_text().strip():
                        raise Trouble(f"{what}: nothing comes of it")
                    visitor.usable(f"{what}: what comes of it")
                    visitor.content(what, refused=True)
                    filled.append(what)
                    now = visitor.page.url[len(visitor.root):]
                    if pages.of(now):
                        left.append(now)
        leave(visitor, link)
        for by_keyboard in (False, True):
            wrong_password(visitor, by_keyboard)
        visitor.close()
    print(f"filled in: {len(filled)} times, {len(seen)} kinds of forms")


def leave(visitor, link):
    """Whoever logs out is out."""
    visitor.page.goto(link)
    visitor.page.get_by_role("button", name="Log out").click()
    visitor.page.wait_for_url("**/login*")
    visitor.page.goto(visitor.root + f"/o/{ORGANISATION}")
    if "/login" not in visitor.page.url:
        raise Trouble("whoever logged out still sees everything")
    visitor.content("logging out", refused=True)


def wrong_password(visitor, by_keyboard):
    """Who shows a wrong password hears so, and is where they were."""
    page = visitor.page
    page.goto(visitor.root + "/login")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("wrong")
    if by_keyboard:
        page.keyboard.press("Enter")
    else:
        page.locator("main").get_by_role("button", name="Log in").click()
    page.get_by_role("alert").wait_for()
    visitor.usable("a wrong password")
    visitor.content("a wrong password", refused=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
