"""A browser in which a person looks at the demo: what it complains of is kept, and told."""

import importlib.resources
import json
import shutil
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import sync_playwright

# A machine may be slow, and no test waits for a time: this is when one gives up.
PATIENCE = 180_000
DESKTOP, PHONE = (1280, 800), (390, 844)
AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# What a page violates of its Content-Security-Policy is told to whoever asks.
REPORTS = """
window.reports = [];
addEventListener("securitypolicyviolation", (it) => {
  window.reports.push(`${it.violatedDirective}: ${it.blockedURI} ${it.sourceFile}:${it.lineNumber}`);
});
"""

LOOK = """async (tags) => {
  const found = await axe.run(document, {
    runOnly: { type: "tag", values: tags },
    rules: { "target-size": { enabled: true } },
    resultTypes: ["violations"],
  });
  return found.violations.map((it) => `${it.id}: ${it.help}: `
    + it.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 200)} (${node.failureSummary})`).join("; "));
}"""


class Trouble(AssertionError):
    """Something that nobody should meet."""


@contextmanager
def browser():
    """Debian's Chromium, or another one that is there."""
    names = ["chromium", "chromium-browser", "google-chrome"]
    program = next((it for it in map(shutil.which, names) if it), None)
    if program is None:
        raise SystemExit("there is no Chromium")
    with sync_playwright() as playwright:
        # Who tests as root has no sandbox, and /dev/shm is small in a container.
        chosen = ["--no-sandbox", "--disable-dev-shm-usage", "--force-prefers-reduced-motion"]
        started = playwright.chromium.launch(executable_path=program, args=chosen)
        yield started
        started.close()


class Visitor:
    """Somebody at a screen, with all that their browser complains of."""

    def __init__(self, browser, scheme="light", size=DESKTOP, script=True, link=None, root=""):
        self.name = f"{scheme} {size[0]}" + ("" if script else " without JavaScript")
        self.context = browser.new_context(
            color_scheme=scheme,
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=script,
        )
        self.context.set_default_timeout(PATIENCE)
        self.context.set_default_navigation_timeout(PATIENCE)
        self.script = script
        if script:
            self.context.add_init_script(REPORTS)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda it: self.complaints.append(f"error: {it}"))
        self.page.on("requestfailed", self._failed)
        # Without the link, nobody has logged in.
        if link:
            self.page.goto(link)
        self.root = root or "{0.scheme}://{0.netloc}".format(urlsplit(link))

    def _console(self, it):
        if it.type in ("error", "warning"):
            self.complaints.append(f"console: {it.text} ({it.location})")

    def _failed(self, it):
        # Whoever goes on to another page does not wait for what the last one still asked for.
        if "ERR_ABORTED" not in (it.failure or ""):
            self.complaints.append(f"request: {it.url}: {it.failure}")

    def go(self, path, status=200):
        """Opens a page."""
        answer = self.page.goto(urljoin(self.root + "/", path))
        if answer.status != status:
            raise Trouble(f"{self.name}: {path}: {answer.status}")
        return answer

    def content(self, what, refused=False):
        """Nothing is complained of. Where something was refused, that it was is no complaint."""
        told = list(self.complaints)
        self.complaints.clear()
        if refused:
            told = [it for it in told if "the server responded with a status of 4" not in it]
        if self.script:
            told += self.page.evaluate("window.reports || []")
        if told:
            raise Trouble(f"{self.name}: {what}: " + "\n".join(told))

    def usable(self, what):
        """Everybody can use the page that is open, as far as a program can tell; and nothing is wider than
        the screen."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(LOOK, RULES)
        wide = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        if wide[0] > wide[1]:
            found.append(f"it is {wide[0]} wide on a screen of {wide[1]}")
        if found:
            raise Trouble(f"{self.name}: {what}:\n" + "\n".join(found))

    def links(self):
        """Where the page that is open leads to, on this server."""
        hrefs = self.page.locator("a[href]").evaluate_all("all => all.map(it => it.href)") \
            if self.script else \
            [urljoin(self.page.url, it.get_attribute("href")) for it in self.page.locator("a[href]").all()]
        ours = [it.split("#")[0] for it in hrefs if it.startswith(self.root + "/")]
        return list(dict.fromkeys(it[len(self.root):] for it in ours))

    def close(self):
        self.context.close()


def asked(visitor, method, path, body, status):
    """Asks the API of the demo, as its owner."""
    answer = visitor.context.request.fetch(
        f"{visitor.root}/api/v1/orgs/demo/{path}",
        method=method,
        data=body,
        headers={"Origin": visitor.root},
    )
    if answer.status != status:
        raise Trouble(f"{method} {path}: {answer.status} {answer.text()}")
    return answer


def furnish(visitor):
    """What the demo has none of, for it speaks to nobody: a channel, and a rule that tells by it."""
    channel = {"parameters": {"url": "http://127.0.0.1:9/nobody"}}
    asked(visitor, "PUT", "integrations/webhook/on-call", channel, 200)
    rule = {
        "channel": {"kind": "webhook", "name": "on-call"},
        "definition": {"on": ["all"], "environments": ["production"]},
    }
    asked(visitor, "PUT", "rules/on-call", rule, 200)


class Pages:
    """The pages that there are, by what the program says itself."""

    def __init__(self, file):
        with open(file, encoding="utf-8") as text:
            self.all = json.load(text)

    def of(self, path):
        """The page at that path."""
        parts = urlsplit(path).path.split("/")
        # What is said more exactly counts more: `/o/{org}/search` before `/o/{org}/{other}`.
        for page in sorted(self.all, key=lambda it: it["path"].count("{")):
            wanted = page["path"].split("/")
            fits = len(wanted) == len(parts) and all(
                a == b or (a.startswith("{") and b) for a, b in zip(wanted, parts)
            )
            if fits:
                return page["id"]
        return None

    def known(self, organisation):
        """Those whose path is known to whoever knows the organisation."""
        paths = [it["path"].replace("{org}", organisation) for it in self.all]
        return [it for it in paths if "{" not in it]
