#!/usr/bin/env python3
"""Works with every part of a report in headless Chromium, by pointer and by keyboard, in both languages.

    widgets_test.py REPORT_SAMPLE [--keep FOLDER]     FOLDER: where the pages and the screenshots stay

Without Chromium the test is skipped (exit 77).
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

from browser import SIZES, Browser, Page, chromium

PIXELS = """(selector => { const { width, height } = document.querySelector(selector);
    const copy = Object.assign(document.createElement('canvas'), { width, height });
    const context = copy.getContext('2d', { willReadFrequently: true });
    context.drawImage(document.querySelector(selector), 0, 0);
    const d = context.getImageData(0, 0, width, height).data; let sum = 0;
    for (let i = 0; i < d.length; i += 7) sum = (31 * sum + d[i]) % 1000003; return sum; })"""
HEADINGS = "[...document.querySelectorAll('h1, h2, h3, h4')].map(h => Number(h.tagName[1]))"
NAMELESS = """[...document.querySelectorAll('button, input, canvas, img, dialog, nav')].filter(e =>
    !e.closest('dialog, button > *') && !e.getAttribute('aria-label') && !e.textContent.trim() &&
    e.getAttribute('alt') === null &&
    !e.labels?.length && e.getClientRects().length).map(e => e.outerHTML.slice(0, 90))"""

problems = []


def expect(fact, message):
    if not fact:
        problems.append(message)


def check_page(page, language):
    expect(page.value("document.documentElement.lang") == language, "the page does not say its language")
    policy = page.value("document.querySelector('meta[http-equiv=Content-Security-Policy]').content")
    expect("default-src 'none'" in policy and "script-src 'sha256-" in policy, f"policy: {policy}")
    headings = page.value(HEADINGS)
    expect(headings[0] == 1 and headings.count(1) == 1, "there is one first heading")
    expect(all(b <= a + 1 for a, b in zip(headings, headings[1:])), f"headings out of order: {headings}")
    expect(page.value("['header', 'nav', 'main', 'footer'].every(e => document.querySelector('body > ' + e))"),
           "a landmark is missing")
    expect(not page.value(NAMELESS), f"without a name: {page.value(NAMELESS)}")


def check_policy_holds(page):
    """Not part of the other checks: what the browser refuses is logged."""
    ran = page.value("""(() => { const s = document.createElement('script'); s.textContent = 'window.foreign = 1';
        document.body.append(s); const b = document.createElement('button'); b.setAttribute('onclick', 'foreign = 1');
        document.body.append(b); b.click(); return window.foreign; })()""")
    expect(ran is None, "a foreign script ran")
    fetched = page.value("fetch('https://example.org/').then(() => true, () => false)")
    expect(not fetched, "the network was reached")


def check_theme(page):
    colors = []
    for _ in range(2):
        colors.append(page.value("getComputedStyle(document.body).backgroundColor"))
        page.click(*page.middle(".theme"))
    expect(colors[0] != colors[1], "the theme button changes nothing")
    page.click(*page.middle(".theme"))
    page.load()
    expect(page.value("getComputedStyle(document.body).backgroundColor") == colors[1], "the theme is forgotten")
    page.click(*page.middle(".theme"))


def check_explorer(page):
    canvas = ".explorer .stage canvas"
    seen = f"{PIXELS}('{canvas}')"
    expect(page.becomes(f"document.querySelector('{canvas}').width >= 448"), "the explorer has no picture")
    first = page.value(seen)
    page.value("document.querySelector('.explorer input[type=range]').focus()")
    page.key("ArrowRight")
    expect(page.value("document.querySelector('.explorer .axis b').textContent") == "7", "the number stays")
    second = page.value(seen)
    expect(second != first, "the slider changes no pixel")
    page.click(*page.middle(".explorer .segments label:nth-child(3)"))
    third = page.value(seen)
    expect(third != second, "the buttons change no pixel")
    expect(page.value("document.querySelector('.explorer .state span').textContent").endswith("2"),
           "head 2 is not told")
    page.click(*page.middle(".explorer .strip button:nth-child(2)"))
    expect(page.value("document.querySelector('.explorer input[type=range]').value") == "1",
           "the small map chooses not")
    page.value("""(() => { const o = document.querySelector('.explorer .opacity input'); o.value = 0;
        o.dispatchEvent(new Event('input', { bubbles: true })); })()""")
    bare = page.value(seen)
    page.click(*page.middle(".explorer .segments label:nth-child(1)"))
    expect(page.value(seen) == bare, "a map shows at opacity 0")


def check_explorer_values(page):
    """The value told is the one that was given: likeness sums to 1 over the patches."""
    x, y = page.middle(".explorer .stage canvas")
    page.point(x, y)
    told = page.value("document.querySelector('.explorer .state output').textContent")
    expect("8" in told and any(c.isdigit() for c in told), f"pointing at the middle tells: {told}")
    page.point(5, 5)
    expect(page.value("document.querySelector('.explorer .state output').textContent") == "", "the value stays")
    page.value("document.querySelector('.explorer .stage canvas').focus()")
    page.key("ArrowLeft")
    first = page.value("document.querySelector('.explorer .state output').textContent")
    page.key("ArrowLeft")
    second = page.value("document.querySelector('.explorer .state output').textContent")
    expect(first and second and first != second, f"the arrow keys tell: {first}; {second}")


def check_explorer_from_patch(page):
    canvas = ".explorer ~ .explorer .stage canvas"
    before = page.value(f"{PIXELS}('{canvas}')")
    x, y = page.middle(canvas)
    page.click(x + 60, y + 30)
    page.point(5, 5)
    expect(page.value(f"{PIXELS}('{canvas}')") != before, "a click shows no other map")
    state = "document.querySelector('.explorer ~ .explorer .state span').textContent"
    seen = page.value(state)
    expect("9" in seen or "8" in seen, f"where it is seen from is not told: {seen}")
    page.value(f"document.querySelector('{canvas}').focus()")
    page.key("Escape")
    page.value("document.activeElement.blur()")
    expect(page.value(f"{PIXELS}('{canvas}')") == before, "Escape does not go back")


def check_gallery(page):
    opened = "document.querySelector('dialog').open"
    page.value("document.querySelector('.gallery li:nth-child(2) button').focus()")
    page.key("Enter")
    expect(page.becomes(opened), "Enter opens no picture")
    expect(page.becomes("document.querySelector('dialog img').naturalWidth === 448"), "the large picture is not shown")
    expect("chickadee" in page.value("document.querySelector('dialog .said').textContent"), "the name is not told")
    page.key("ArrowRight")
    expect("crow" in page.value("document.querySelector('dialog .said').textContent"), "the arrow key does not turn")
    for _ in range(7):
        page.key("Tab")
        expect(page.value("document.activeElement.closest('dialog') !== null"), "the focus leaves the open picture")
    page.key("Escape")
    expect(page.becomes(f"!{opened}"), "Escape does not close")
    expect(page.becomes("document.activeElement.closest('li')?.textContent.includes('crow')"), "the focus is lost")
    page.click(*page.middle(".gallery li:nth-child(1) button"))
    expect(page.becomes(opened), "a click opens no picture")
    page.click(*page.middle("dialog .close"))
    expect(page.becomes(f"!{opened}"), "the button does not close")


def check_scatter(page):
    canvas = ".scatter canvas"
    seen = f"new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done({PIXELS}('{canvas}')))))"
    first = page.value(seen)
    page.click(*page.middle(".scatter input[type=search]"))
    page.type("macaw 3.")
    expect(page.becomes("document.querySelectorAll('.scatter .found li').length === 12"), "the search lists nothing")
    expect("17" in page.value("document.querySelector('.scatter .search b').textContent"), "17 are found")
    second = page.value(seen)
    expect(second != first, "the search changes no pixel")
    page.key("Enter")
    expect("macaw 3.1" in page.value("document.querySelector('.scatter .picked b').textContent"), "Enter chooses none")
    expect(page.value("document.querySelectorAll('.scatter .picked li').length") == 6, "no nearest are listed")
    page.click(*page.middle(".scatter .picked li button"))
    expect(page.value("document.querySelector('.scatter .picked b').textContent") != "macaw 3.1", "no neighbour chosen")
    page.key("Escape")
    expect(page.value("document.querySelector('.scatter .picked').textContent") == "", "Escape lets nothing go")
    page.value("""(() => { const q = document.querySelector('.scatter input[type=search]'); q.value = '';
        q.dispatchEvent(new Event('input')); })()""")
    expect(page.value(seen) == first, "the empty search does not show all")
    page.click(*page.middle(".scatter .legend button"))
    expect(page.value(seen) != first, "a group cannot be left out")
    page.click(*page.middle(".scatter .legend button"))
    check_scatter_moves(page, canvas, seen, first)


def check_scatter_moves(page, canvas, seen, first):
    page.value(f"document.querySelector('{canvas}').focus()")
    page.key("+", "+")
    nearer = page.value(seen)
    page.key("ArrowLeft")
    expect(len({first, nearer, page.value(seen)}) == 3, "keys neither enlarge nor move")
    page.key("0", "0")
    expect(page.value(seen) == first, "0 does not show all")
    x, y = page.middle(canvas)
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-200)
    expect(page.becomes(f"{seen}.then(sum => sum !== {first})"), "the wheel does not enlarge")
    page.key("0", "0")
    found = page.value(f"""(() => {{ const b = document.querySelector('{canvas}').getBoundingClientRect();
        const p = JSON.parse(document.querySelector('.scatter script').textContent).points[400];
        const unit = Math.min(b.width / 1000, b.height / 640);
        return [b.left + b.width / 2 + (p.x - 500) * unit, b.top + b.height / 2 + (p.y - 320) * unit]; }})()""")
    page.point(*found)
    expect(page.becomes("!document.querySelector('.tip').hidden && !!document.querySelector('.tip img')"), "no hover")
    page.click(*found)
    expect(page.value("document.querySelectorAll('.scatter .picked li').length") == 6, "a click lists no nearest")
    milliseconds = page.value(f"""(() => {{ const c = document.querySelector('{canvas}'), start = performance.now();
        for (let x = 300; x < 320; ++x)
          c.dispatchEvent(new PointerEvent('pointermove', {{ clientX: x, clientY: 300 }}));
        return (performance.now() - start) / 20; }})()""")
    expect(milliseconds < 25, f"pointing takes {milliseconds:.1f} ms")


def check_table(page):
    column = "[...document.querySelectorAll('.sortable tbody tr')].map(r => r.cells[2].textContent)"
    page.click(*page.middle(".sortable th:nth-child(3) button"))
    times = page.value(column)
    expect("3.92" in times[0] and "1.02 s" in times[-1], f"sorted by time: {times}")
    expect(page.value("document.querySelector('.sortable th:nth-child(3)').ariaSort") == "ascending", "no aria-sort")
    page.click(*page.middle(".sortable th:nth-child(3) button"))
    expect("1.02 s" in page.value(column)[0], "a second click does not turn it round")


def check_print(page):
    page.value("document.documentElement.dataset.theme = 'dark'")
    page.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    series = page.value("getComputedStyle(document.documentElement).getPropertyValue('--series-0')")
    expect(series == "#0072b2", f"print has the dark page's colours: {series}")
    page.value("dispatchEvent(new Event('beforeprint'))")
    expect(page.value("document.querySelector('details').open"), "print leaves the explanation folded")
    expect(page.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", "print is not white")
    shown = "[...document.querySelectorAll('.theme, .panel input, .zoom, nav')].filter(e => e.getClientRects().length)"
    expect(not page.value(f"{shown}.map(e => e.outerHTML.slice(0, 60))"), "controls are printed")
    expect(page.value("document.querySelector('.scatter .stage > svg').getClientRects().length"), "no dots in print")
    page.value("dispatchEvent(new Event('afterprint'))")
    expect(not page.value("document.querySelector('details').open"), "after print the explanation stays open")


def check_without_script(browser, file):
    page = Page(browser, file, script=False)
    document = page.call("DOM.getDocument")["root"]["nodeId"]
    for selector, wanted in ((".explorer .unscripted img", True), (".explorer canvas", False), (".panel", False),
                             (".scatter .stage > svg", True), (".theme", False), (".gallery img", True)):
        node = page.call("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        identity = page.call("DOM.resolveNode", nodeId=node)["object"]["objectId"]
        found = page.call("Runtime.callFunctionOn", objectId=identity, returnByValue=True,
                          functionDeclaration="function() { return this.getClientRects().length > 0; }")
        expect(found["result"]["value"] == wanted, f"without script, {selector}: {found['result']['value']}")
    page.close()


def work_with(browser, file, language, keep):
    for name, size in SIZES.items():
        for scheme in ("light", "dark"):
            page = Page(browser, file, size, scheme)
            problems.extend(f"{name}, {scheme}: {each}" for each in page.layout_problems()[1] + page.problems())
            if keep:
                page.screenshot(keep / f"{language}_{name}_{scheme}.png")
            page.close()
    page = Page(browser, file)
    check_page(page, language)
    if language == "en":
        work_with_parts(page)
        check_without_script(browser, file)
    page.close()


def work_with_parts(page):
    for check_part in (check_theme, check_explorer, check_explorer_values, check_explorer_from_patch, check_gallery,
                       check_scatter, check_table, check_print):
        check_part(page)
    problems.extend(page.problems())
    check_policy_holds(page)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report_sample")
    parser.add_argument("--keep", type=pathlib.Path)
    arguments = parser.parse_args()
    program = chromium()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(program, pathlib.Path(folder) / "profile")
        for language, code in (("english", "en"), ("korean", "ko")):
            page = pathlib.Path(arguments.keep.resolve() if arguments.keep else folder) / f"{language}.html"
            subprocess.run([arguments.report_sample, str(page), language], check=True)
            work_with(browser, page, code, arguments.keep)
        browser.close()
    print("\n".join(problems) or "every part of a report works, by pointer and by keyboard, in both languages")
    sys.exit(1 if problems else 0)


main()
