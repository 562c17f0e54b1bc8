"""Drives a headless Chromium over its own pipes, with nothing but the standard library."""
import base64
import json
import os
import shutil
import subprocess
import sys
import time

SIZES = {"narrow": (360, 740), "phone": (390, 844), "tablet": (900, 1100), "desk": (1280, 800), "wide": (1600, 900)}
FACTS = """({
  pictures: document.images.length,
  broken: [...document.images].filter(i => i.src && (!i.complete || i.naturalWidth === 0)).length,
  width: document.documentElement.scrollWidth, window: document.documentElement.clientWidth,
  wide: [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right >
      document.documentElement.clientWidth + 0.5 && !e.closest('.scroll, .code')).map(e => e.outerHTML.slice(0, 80)),
  numbers: [...document.querySelectorAll('.figures b')].filter(b => b.scrollWidth > b.clientWidth + 1 ||
      b.getBoundingClientRect().height > 1.7 * parseFloat(getComputedStyle(b).fontSize)).map(b => b.textContent),
  background: getComputedStyle(document.body).backgroundColor,
})"""


def chromium():
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        print("skipped: chromium is not installed")
        sys.exit(77)
    return program


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

    def close(self):
        self.call("Browser.close")
        self.process.wait(timeout=20)


class Page:
    """One tab that shows a file. `scheme` is light or dark."""

    def __init__(self, browser, file, size=SIZES["desk"], scheme="light", script=True):
        self.browser, self.file, (self.width, self.height) = browser, file, size
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=self.width, height=self.height, deviceScaleFactor=1,
                  mobile=self.width < 500)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        if not script:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        browser.events.clear()
        self.load()

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def load(self):
        self.browser.events = [each for each in self.browser.events if each.get("method") != "Page.loadEventFired"]
        self.call("Page.navigate", url=self.file.as_uri())
        self.browser.wait_for("Page.loadEventFired")

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            sys.exit(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def becomes(self, expression, seconds=5):
        """Whether the expression is true, now or before long."""
        end = time.monotonic() + seconds
        while not (found := self.value(expression)) and time.monotonic() < end:
            time.sleep(0.02)
        return bool(found)

    def key(self, key, text=None, modifiers=0):
        parameters = {"key": key, "code": key, "modifiers": modifiers, "windowsVirtualKeyCode": KEYS.get(key, 0)}
        if text or key in TYPED:
            parameters["text"] = text or TYPED[key]
        self.call("Input.dispatchKeyEvent", type="keyDown", **parameters)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, modifiers=modifiers)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def middle(self, selector):
        """Where the element stands in the window, once it has been scrolled there."""
        return self.value(f"""(async () => {{ const e = document.querySelector({json.dumps(selector)});
            e.scrollIntoView({{ block: 'center', behavior: 'instant' }});
            for (let frame = 0; frame < 2; ++frame) await new Promise(requestAnimationFrame);
            const b = e.getBoundingClientRect();
            return [b.left + b.width / 2, b.top + b.height / 2]; }})()""")

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def point(self, x, y):
        self.mouse("mouseMoved", x, y)

    def click(self, x, y):
        self.mouse("mouseMoved", x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def screenshot(self, file):
        height = self.value("document.documentElement.scrollHeight")
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "width": self.width, "height": height, "scale": 1})
        file.write_bytes(base64.b64decode(shot["data"]))

    def problems(self):
        """What the browser logged, and what the page asked for beyond itself."""
        events = self.browser.events
        found = [f"logged: {event['params']}" for event in events
                 if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")]
        return found + [f"asked for {event['params']['request']['url'][:80]}" for event in events
                        if event.get("method") == "Network.requestWillBeSent"
                        and not event["params"]["request"]["url"].startswith(("data:", self.file.as_uri()))]

    def layout_problems(self):
        facts = self.value(FACTS)
        found = []
        if facts["broken"]:
            found.append(f"{facts['broken']} of {facts['pictures']} pictures are not decoded")
        if facts["width"] > facts["window"] or facts["wide"]:
            found.append(f"{facts['width']} pixels wide in a window of {facts['window']}: {facts['wide'][:3]}")
        found += [f"the number {each} is broken" for each in facts["numbers"]]
        return facts, found

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)


KEYS = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9}
TYPED = {"Enter": "\r"}
