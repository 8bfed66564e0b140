"""How long the overview takes in Chromium until all of it is there, and how much goes over the wire.

load.py LINK [PATH]: the link that logs in, and the page that is meant; the overview of the demo, unless said.
"""

import statistics
import sys

from browsing import DESKTOP, PHONE, Visitor, browser

TIMES = 15
TIMES_OF_PAGE = """() => new Promise((told) => {
  const of = () => {
    const page = performance.getEntriesByType("navigation")[0];
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const all = [page, ...performance.getEntriesByType("resource")];
    if (!paint || !page.loadEventEnd) return requestAnimationFrame(of);
    told({
      server: page.responseStart - page.requestStart,
      drawn: paint.startTime,
      whole: page.loadEventEnd,
      bytes: all.reduce((sum, it) => sum + it.transferSize, 0),
      requests: all.length,
    });
  };
  of();
})"""
# What a phone has on a slow line: 4 times less of a core, 1.6 Mbit/s, 150 ms there and back.
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}


def measured(browser, link, path, slow, kept):
    rows = []
    visitor = Visitor(browser, size=PHONE if slow else DESKTOP, link=link)
    speaking = visitor.context.new_cdp_session(visitor.page)
    if slow:
        speaking.send("Network.enable")
        speaking.send("Network.emulateNetworkConditions", SLOW)
        speaking.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    for _ in range(TIMES):
        if not kept:
            speaking.send("Network.clearBrowserCache")
        visitor.go(path)
        rows.append(visitor.page.evaluate(TIMES_OF_PAGE))
    visitor.close()
    return {key: (statistics.median(it[key] for it in rows), max(it[key] for it in rows)) for key in rows[0]}


def main(link, path="/o/demo"):
    print("| where | kept by the browser | requests | on the wire | answered | drawn | all there |")
    print("|---|---|---|---|---|---|---|")
    with browser() as it:
        for slow in (False, True):
            for kept in (False, True):
                row = measured(it, link, path, slow, kept)
                milliseconds = [
                    f"{row[key][0]:.0f} / {row[key][1]:.0f} ms" for key in ("server", "drawn", "whole")
                ]
                where = "a phone on a slow line" if slow else "at a desk"
                what = "style and script" if kept else "nothing"
                requests, size = row["requests"][0], row["bytes"][0] / 1000
                print(f"| {where} | {what} | {requests:.0f} | {size:.1f} kB | " + " | ".join(milliseconds) + " |")


if __name__ == "__main__":
    main(*sys.argv[1:])
