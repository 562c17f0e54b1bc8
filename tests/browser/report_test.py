#!/usr/bin/env python3
"""Opens the report of `nunchi demo` in headless Chromium, on a telephone's and on a desk's width, light and dark.

    report_test.py NUNCHI MODEL [--keep FOLDER]     FOLDER: where the report and the screenshots stay

Nothing may be logged as an error, every picture must be decoded, nothing may stand out to the right, and the page may
ask the network for nothing. Without Chromium the test is skipped (exit 77).
"""
import argparse
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SIZES = {"phone": (390, 844), "desk": (1280, 800)}
FACTS = """JSON.stringify({
  pictures: document.images.length,
  broken: [...document.images].filter(i => !i.complete || i.naturalWidth === 0).length,
  width: document.documentElement.scrollWidth, window: document.documentElement.clientWidth,
  wide: [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right >
      document.documentElement.clientWidth + 0.5 && !e.closest('.scroll')).map(e => e.outerHTML.slice(0, 80)),
  height: document.documentElement.scrollHeight, background: getComputedStyle(document.body).backgroundColor,
})"""


class Browser:
    """The DevTools protocol over the two pipes that --remote-debugging-pipe reads and writes."""

    def __init__(self, program, profile):
        to_browser, self.out = os.pipe()
        self.incoming, from_browser = os.pipe()
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--disable-background-networking", "--remote-debugging-pipe", f"--user-data-dir={profile}"]

        def connect():  # the browser expects them as 3 and 4
            os.dup2(to_browser, 103), os.dup2(from_browser, 104)
            os.dup2(103, 3), os.dup2(104, 4)

        self.process = subprocess.Popen([program, *flags], preexec_fn=connect, close_fds=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser), os.close(from_browser)
        self.unread, self.number, self.events = b"", 0, []

    def message(self):
        while b"\0" not in self.unread:
            part = os.read(self.incoming, 1 << 16)
            if not part:
                sys.exit("the browser ended early")
            self.unread += part
        text, self.unread = self.unread.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        os.write(self.out, json.dumps(request).encode() + b"\0")
        while (answer := self.message()).get("id") != self.number:
            self.events.append(answer)
        if "error" in answer:
            sys.exit(f"{method}: {answer['error']}")
        return answer["result"]

    def wait_for(self, event):
        while not any(each.get("method") == event for each in self.events):
            self.events.append(self.message())


def problems_of(browser, page, name, scheme, keep):
    width, height = SIZES[name]
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.call(f"{domain}.enable", session)
    browser.call("Emulation.setDeviceMetricsOverride", session, width=width, height=height, deviceScaleFactor=1,
                 mobile=name == "phone")
    browser.call("Emulation.setEmulatedMedia", session, features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.events.clear()
    browser.call("Page.navigate", session, url=page.as_uri())
    browser.wait_for("Page.loadEventFired")
    facts = json.loads(browser.call("Runtime.evaluate", session, expression=FACTS)["result"]["value"])
    if keep:
        shot = browser.call("Page.captureScreenshot", session, captureBeyondViewport=True,
                            clip={"x": 0, "y": 0, "width": width, "height": facts["height"], "scale": 1})
        (keep / f"{name}_{scheme}.png").write_bytes(base64.b64decode(shot["data"]))
    problems = [f"logged: {event['params']}" for event in browser.events
                if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")]
    problems += [f"asked for {event['params']['request']['url'][:80]}" for event in browser.events
                 if event.get("method") == "Network.requestWillBeSent"
                 and not event["params"]["request"]["url"].startswith(("data:", page.as_uri()))]
    if facts["pictures"] < 10 or facts["broken"]:
        problems.append(f"{facts['broken']} of {facts['pictures']} pictures are not decoded")
    if facts["width"] > facts["window"] or facts["wide"]:
        problems.append(f"{facts['width']} pixels wide in a window of {facts['window']}: {facts['wide'][:3]}")
    browser.call("Target.closeTarget", targetId=target)
    return facts, [f"{name}, {scheme}: {problem}" for problem in problems]


def check(program, page, keep):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        found = {(name, scheme): problems_of(browser, page, name, scheme, keep)
                 for name in SIZES for scheme in ("light", "dark")}
        browser.call("Browser.close")
        browser.process.wait(timeout=20)
    problems = [problem for _, each in found.values() for problem in each]
    if found["desk", "light"][0]["background"] == found["desk", "dark"][0]["background"]:
        problems.append("light and dark look the same")
    return problems, found["desk", "light"][0]["pictures"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nunchi")
    parser.add_argument("model")
    parser.add_argument("--keep", type=pathlib.Path)
    arguments = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        print("skipped: chromium is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(arguments.keep.resolve() if arguments.keep else folder) / "demo.html"
        subprocess.run([arguments.nunchi, "demo", "--no-network", "-m", arguments.model, "-o", str(page)], check=True,
                       stdout=subprocess.DEVNULL)
        problems, pictures = check(program, page, arguments.keep)
    print("\n".join(problems) or f"{pictures} pictures, {len(SIZES)} widths, light and dark: nothing to complain about")
    sys.exit(1 if problems else 0)


main()
