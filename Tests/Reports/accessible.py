"""Looks at pages in headless Chromium, from Debian: with axe, and with a ruler.

axe-core is the one that axe-playwright-python carries; selenium drives Chromium's own driver.
"""

import importlib.util
import pathlib

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

WIDTHS, SCHEMES = (1280, 390), ("light", "dark")
AXE = """
const done = arguments[0];
document.querySelectorAll("details").forEach((each) => { each.open = true; });
axe.run(document, { resultTypes: ["violations"] }).then(
  (result) => done(result.violations.map((each) =>
    `${each.id} (${each.nodes.length}), such as ${each.nodes[0].target.join(" ")}`)),
  (reason) => done([`axe failed: ${reason}`]));
"""
# Text of charts that is cut off by the picture's edge, or lies on other text.
RULER = """
const found = [];
for (const chart of document.querySelectorAll("figure > svg")) {
  const name = chart.querySelector("title").textContent.split(";")[0];
  const size = chart.viewBox.baseVal;
  const texts = [...chart.querySelectorAll("text")]
    .map((each) => [each.textContent, each.getBBox()]);
  texts.forEach(([text, box], index) => {
    if (box.x < -1 || box.x + box.width > size.width + 1 || box.y < -1
        || box.y + box.height > size.height + 1) {
      found.push(`"${text}" is cut in ${name}`);
    }
    for (const [other, its] of texts.slice(index + 1)) {
      if (box.x < its.x + its.width - 1 && its.x < box.x + box.width - 1
          && box.y < its.y + its.height - 3 && its.y < box.y + box.height - 3) {
        found.push(`"${text}" lies on "${other}" in ${name}`);
      }
    }
  });
}
return found;
"""
BEYOND = "return document.documentElement.scrollWidth - document.documentElement.clientWidth;"


def axe():
    """The script of axe-core; its package is not run, for it would want Playwright."""
    package = importlib.util.find_spec("axe_playwright_python").submodule_search_locations[0]
    return (pathlib.Path(package) / "axe.min.js").read_text()


class Browser:
    """Chromium without a window, at some width and in light or dark."""

    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        # Root has no sandbox, nor have many containers; the page has no script and no network.
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(word)
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(60)
        self.driver.set_script_timeout(120)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def show(self, page, width, scheme):
        """Shows a page."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
        self.driver.get(page.resolve().as_uri())

    def findings(self, page):
        """All that is wrong with a page, at all widths and in both schemes, as sentences."""
        found = []
        for width in WIDTHS:
            for scheme in SCHEMES:
                self.show(page, width, scheme)
                self.driver.execute_script(axe())
                beyond = self.driver.execute_script(BEYOND)
                sentences = self.driver.execute_async_script(AXE)
                sentences += self.driver.execute_script(RULER)
                if beyond > 0:
                    sentences.append(f"the page is {beyond} px wider than the screen")
                found += [f"{width} px, {scheme}: {sentence}" for sentence in sentences]
        return found
